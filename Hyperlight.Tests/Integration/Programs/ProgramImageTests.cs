using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>What cannot be run is refused, with the reason.</summary>
internal sealed class ProgramImageTests(TestTarget target) : ProgramTest(target)
{
    private const int TypeOffset = 0x10;
    private const int MachineOffset = 0x12;
    private const int ProgramHeadersOffset = 0x20;
    private const int FirstSegment = 0x40;

    private static byte[] Valid => File.ReadAllBytes(PathOf(Fixed));

    [TestCase(0, (byte)'X', "not a 64-bit ELF file")]
    [TestCase(TypeOffset, (byte)1, "not an executable")]
    [TestCase(MachineOffset, (byte)3, "not for x86-64")]
    [TestCase(ProgramHeadersOffset, (byte)3, "program headers are invalid")]
    [TestCase(ProgramHeadersOffset + 5, (byte)3, "program headers are invalid")]
    [TestCase(FirstSegment + 15, (byte)0x7F, "a segment of it is invalid")]
    [TestCase(FirstSegment + 16, (byte)1, "a segment of it is invalid")]
    [TestCase(FirstSegment + 23, (byte)0x80, "outside the address space")]
    [TestCase(FirstSegment + 18, (byte)0, "below 0x400000")]
    [TestCase(FirstSegment + 39, (byte)0x7F, "a segment of it is invalid")]
    [TestCase(FirstSegment + 47, (byte)0x7F, "outside the address space")]
    [TestCase(FirstSegment + 42, (byte)1, "segments overlap")]
    public async Task A_damaged_executable_is_refused(int offset, byte value, string problem)
    {
        byte[] executable = Valid;
        executable[offset] = value;

        ProgramRunner runner = Create(ProgramImage.FromBytes(executable, "damaged", ImageOptions));
        ProgramImageException exception = (await Assert.ThrowsAsync<ProgramImageException>(() => Run(runner, "")))!;

        Assert.That(exception.Problem, Does.Contain(problem));
        Assert.That(exception.Message, Does.StartWith("'damaged' cannot be run: "));
    }

    [Test]
    public async Task A_truncated_executable_is_refused([Values(1, 63, 100, 5000)] int size)
    {
        ProgramRunner runner = Create(ProgramImage.FromBytes(Valid.AsSpan(0, size), options: ImageOptions));

        await Assert.ThatAsync(() => Run(runner, ""), Throws.TypeOf<ProgramImageException>());
    }

    [Test]
    public async Task A_path_that_is_not_in_the_image_is_an_error_that_names_it()
    {
        var files = new Dictionary<string, ProgramFile> { ["/bin/tool"] = ProgramFile.FromBytes(Valid, isExecutable: true) };
        ProgramRunner runner = Create(ProgramImage.FromFiles(files, ImageOptions), command: ["/bin/none"]);

        ProgramImageException exception = (await Assert.ThrowsAsync<ProgramImageException>(() => Run(runner, "")))!;

        Assert.That(exception.Message, Is.EqualTo("'/bin/none' cannot be run: there is no such file."));
    }

    [Test]
    public void A_file_that_is_missing_or_empty_is_refused()
    {
        Assert.That(() => Create(ProgramImage.FromExecutable("/no/such/file", ImageOptions)), Throws.TypeOf<ProgramImageException>());
        Assert.That(() => ProgramImage.FromBytes([]), Throws.TypeOf<ProgramImageException>());
    }
}
