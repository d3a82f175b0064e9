// The pipeline. `dotnet cake` builds, checks and tests everything; `--target=NAME` runs one part with what it needs.

var target = Argument("target", "Default");
var configuration = Argument("configuration", "Release");
const string Solution = "Hyperlight.slnx";
const string Artifacts = "artifacts";

Task("Build")
    .Does(() => DotNetBuild(Solution, new DotNetBuildSettings { Configuration = configuration }));

Task("Format")
    .IsDependentOn("Build")
    .Description("Fails if `dotnet format` would change anything. Its third part, the analyzers, is run by the build.")
    .Does(() =>
    {
        Run("dotnet", $"format whitespace {Solution} --verify-no-changes --no-restore");
        Run("dotnet", $"format style {Solution} --verify-no-changes --no-restore");
    });

Task("Test")
    .IsDependentOn("Build")
    .Does(() => DotNetTest(Solution, new DotNetTestSettings { Configuration = configuration, NoBuild = true }));

Task("Guests")
    .Description("Rebuilds the guests with gcc and says whether the bytes match those checked in.")
    .Does(() => Run("make", "-C guests check"));

Task("Samples")
    .IsDependentOn("Build")
    .Description("Runs the console sample, as it is and compiled ahead of time.")
    .Does(() =>
    {
        Run("dotnet", $"run --no-build -c {configuration} --project samples/HelloWorld");
        Run("dotnet", $"publish samples/HelloWorld -c {configuration} --ucr -p:PublishAot=true -o {Artifacts}/HelloWorld");
        Run($"{Artifacts}/HelloWorld/HelloWorld", "");
    });

Task("NativeAotComparison")
    .Description("Compares the emulator with the processor, compiled ahead of time: see CONTRIBUTING.md.")
    .Does(() =>
    {
        Run("dotnet", $"publish eng/NativeAotComparison -c {configuration} --ucr -o {Artifacts}/NativeAotComparison");
        Run($"{Artifacts}/NativeAotComparison/Hyperlight.Tests", "--count 50000");
    });

Task("Wine")
    .Description("Runs the Windows build of the section views on Wine, where it is installed.")
    .Does(() => Run("eng/SectionViews/check.sh", ""));

Task("WhpOnWine")
    .Description("Runs the Windows build with the WHP driver on Wine, over /dev/kvm: see eng/WhpOnWine/README.md.")
    .Does(() => Run("eng/WhpOnWine/run.sh", ""));

Task("Windows")
    .Description("Builds every project for win-x64.")
    .Does(() =>
    {
        foreach (var project in Projects())
        {
            Run("dotnet", $"build {project} -c {configuration} -r win-x64 --self-contained false -v quiet -nologo");
        }
    });

Task("Benchmarks")
    .IsDependentOn("Build")
    .Does(() => Run("dotnet", "run --no-build -c Release --project Hyperlight.Benchmarks -- --quick"));

Task("Pack")
    .IsDependentOn("Build")
    .Does(() => DotNetPack(Solution, new DotNetPackSettings
    {
        Configuration = configuration,
        NoBuild = true,
        OutputDirectory = Artifacts,
    }));

Task("PackageUse")
    .Description("Uses the packages from projects outside the repository, as they are and compiled ahead of time.")
    .Does(() => Run("eng/PackageUse/check.sh", ""));

Task("Default")
    .IsDependentOn("Build")
    .IsDependentOn("Format")
    .IsDependentOn("Test")
    .IsDependentOn("Samples")
    .IsDependentOn("NativeAotComparison");

RunTarget(target);

IEnumerable<string> Projects() => System.Xml.Linq.XDocument.Load(Solution)
    .Descendants("Project")
    .Select(static project => project.Attribute("Path").Value);

void Run(string command, string arguments)
{
    int exitCode = StartProcess(command, new ProcessSettings { Arguments = arguments });
    if (exitCode != 0)
    {
        throw new CakeException($"'{command} {arguments}' ended with exit code {exitCode}.");
    }
}
