using System.Diagnostics;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>A process with a small limit on the garbage collector's heap gets a typed error.</summary>
[TestFixture]
internal sealed class MemoryShortageTests
{
    public const string Command = "memory-shortage";

    private const string Limit = "4000000";
    private const string Expected = nameof(HostMemoryException);

    [Test]
    public void Reading_a_guest_that_does_not_fit_is_a_typed_error()
    {
        ProcessStartInfo start = TestProcess.Command(Command);
        start.Environment["DOTNET_GCHeapHardLimit"] = Limit;
        using Process process = Process.Start(start)!;

        Assert.That(process.StandardOutput.ReadToEnd().Trim(), Is.EqualTo(Expected));
    }

    /// <summary>What the process does: it reads a guest of half a gigabyte, most of which is a hole in the file.</summary>
    public static void Run()
    {
        string path = Path.GetTempFileName();
        try
        {
            using (FileStream file = File.OpenWrite(path))
            {
                file.SetLength(1L << 29);
            }

            GuestBinary.FromFile(path);
        }
        catch (Exception exception)
        {
            Console.WriteLine(exception.GetType().Name);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
