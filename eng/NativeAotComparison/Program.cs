using Hyperlight.Tests;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Emulator.Fuzzing;
using Hyperlight.Tests.Emulator.MachineCode;
using Hyperlight.Tests.Emulator.Strings;

string[] stringInstructions = ["movsb", "movsw", "movsd", "movsq", "stosb", "stosw", "stosd", "stosq"];
Dictionary<string, Action> comparisons = new()
{
    ["instructions"] = static () => new InstructionDifferentialTests().Instructions_do_what_the_processor_does(Tier.Machine),
    ["blocks"] = static () => new BlockDifferentialTests().Blocks_do_what_the_processor_does(Tier.Machine),
    ["faults"] = static () => new FaultDifferentialTests().Faults_are_those_of_the_processor(Tier.Machine),
    ["interpreted-instructions"] = static () => new InstructionDifferentialTests().Instructions_do_what_the_processor_does(Tier.Interpreter),
    ["interpreted-blocks"] = static () => new BlockDifferentialTests().Blocks_do_what_the_processor_does(Tier.Interpreter),
    ["interpreted-faults"] = static () => new FaultDifferentialTests().Faults_are_those_of_the_processor(Tier.Interpreter),
    ["guests"] = static () => new FuzzTests().Random_guests_end_in_a_result_and_stay_in_their_memory(),
    ["strings"] = CompareStrings,
    ["string-code"] = CompareStringCode,
    ["hello"] = HelloGuest.Run,
};

if (Options.Parse(args, comparisons.Keys) is not { } options)
{
    Console.Error.WriteLine(Options.Usage(comparisons.Keys));
    return 2;
}

options.Apply();
bool succeeded = NUnitCheck.Run();
foreach (string name in options.Names)
{
    succeeded &= TestCall.Run(name, comparisons[name]);
}

return succeeded ? 0 : 1;

static void CompareStrings()
{
    var tests = new StringBlockTests();
    tests.Create();
    tests.Random_instructions_do_the_same();
    tests.Destroy();
}

void CompareStringCode()
{
    var tests = new StringCodeTests();
    tests.Require();
    foreach (string name in stringInstructions)
    {
        tests.Elements_are_those_of_the_interpreter(name, hasManyRegisters: false);
        tests.Elements_are_those_of_the_interpreter(name, hasManyRegisters: true);
    }
}
