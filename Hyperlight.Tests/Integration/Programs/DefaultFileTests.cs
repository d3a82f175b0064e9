using Hyperlight.Programs;

namespace Hyperlight.Tests.Integration.Programs;

/// <summary>The files of /etc that an image does not have.</summary>
internal sealed class DefaultFileTests(TestTarget target) : ProgramTest(target)
{
    [Test]
    public async Task Names_of_users_groups_and_hosts_are_there()
    {
        ProgramRunner runner = Create(Fixed);

        ProgramResult result = await Run(runner, "default-files");

        Assert.That(result.StandardOutput, Does.Contain("/etc/passwd root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"));
        Assert.That(result.StandardOutput, Does.Contain("/etc/group root:x:0:\nuser:x:1000:\n"));
        Assert.That(result.StandardOutput, Does.Contain("/etc/hostname mode 33188 links 1 size 11\n/etc/hostname hyperlight\n\nwrite -13\nunlink -13\n"));
        Assert.That(result.StandardOutput, Does.Contain("/etc/hosts 127.0.0.1\tlocalhost hyperlight\n"));
        Assert.That(result.StandardOutput, Does.Contain("/etc/nsswitch.conf passwd: files\n"));
        Assert.That(result.Files("/etc"), Is.Empty);
    }

    [Test]
    public async Task Files_of_the_image_come_first()
    {
        ProgramImage image = ProgramImage.FromExecutable(PathOf(Fixed), ImageOptions)
            .WithFiles(new Dictionary<string, ProgramFile> { ["/etc/hostname"] = ProgramFile.FromText("mine\n") });

        ProgramResult result = await Run(Create(image), "default-files");

        Assert.That(result.StandardOutput, Does.Contain("/etc/hostname mine\n"));
        Assert.That(result.StandardOutput, Does.Contain("/etc/group root:x:0:\n"));
    }

    private static Task<ProgramResult> Run(ProgramRunner runner, string command) =>
        runner.RunAsync(new ProgramInput { Arguments = [command], OutputDirectories = ["/etc"] });
}
