using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Documentation.Fragments;

/// <summary>
/// The base of the tests that contain the C# fragments of a page. They run in a directory of their own, which has the files that
/// fragments name.
/// </summary>
[NonParallelizable]
internal abstract class FragmentFixture
{
    private readonly string _previous = Environment.CurrentDirectory;
    private readonly TextWriter _console = Console.Out;
    private TestFiles _files = null!;

    /// <summary>The path of the guest of the sample <c>HelloWorld</c>.</summary>
    protected static string HelloGuest { get; } = Prebuilt("hello.elf");

    /// <summary>The path of the test guest.</summary>
    protected static string TestGuest { get; } = Prebuilt(TestTargets.GeneralGuest);

    [SetUp]
    public void EnterDirectory()
    {
        _files = new TestFiles();
        Environment.CurrentDirectory = _files.Directory;
        File.Copy(HelloGuest, "hello.elf");
        File.WriteAllBytes("model.bin", TestFiles.Content(5000));
        File.WriteAllBytes("more.bin", TestFiles.Content(5000));
    }

    [TearDown]
    public void LeaveDirectory()
    {
        Environment.CurrentDirectory = _previous;
        Console.SetOut(_console);
        _files.Dispose();
    }

    private static string Prebuilt(string file) => Path.Combine(AppContext.BaseDirectory, "guests", file);
}
