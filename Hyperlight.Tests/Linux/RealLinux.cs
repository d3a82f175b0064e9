using Hyperlight.Linux;

namespace Hyperlight.Tests.Linux;

/// <summary>The machine's own kernel, for tests that need Linux on x64.</summary>
internal static class RealLinux
{
    /// <summary>Skips the test, saying why, elsewhere.</summary>
    public static void Require()
    {
        if (LinuxKernel.Instance.UnsupportedPlatform is { } reason)
        {
            Assert.Ignore($"needs Linux on x64: {reason}");
        }
    }
}
