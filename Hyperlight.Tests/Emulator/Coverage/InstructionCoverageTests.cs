using Hyperlight.Tests.Documentation;

namespace Hyperlight.Tests.Emulator.Coverage;

/// <summary>The checked-in table of instructions is what the code is.</summary>
[TestFixture]
internal sealed class InstructionCoverageTests
{
    private const string UpdateVariable = "HYPERLIGHT_TEST_UPDATE";

    [Test]
    public void Every_instruction_of_a_set_that_CPUID_reports_is_executed() =>
        Assert.That(InstructionCoverage.FindUnimplemented(), Is.Empty);

    [Test]
    public void The_table_of_instructions_is_up_to_date()
    {
        string path = Path.Combine(Repository.Root, "docs", "emulator-instructions.md");
        string expected = InstructionCoverage.Generate();
        if (Environment.GetEnvironmentVariable(UpdateVariable) is "1")
        {
            File.WriteAllText(path, expected);
        }

        Assert.That(
            File.Exists(path) && File.ReadAllText(path) == expected,
            Is.True,
            $"{path} is out of date. To write it anew: {UpdateVariable}=1 dotnet test Hyperlight.Tests "
            + "--filter FullyQualifiedName~InstructionCoverage");
    }
}
