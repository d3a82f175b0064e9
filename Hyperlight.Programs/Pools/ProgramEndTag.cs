namespace Hyperlight.Programs.Pools;

/// <summary>How a run of a program ended, as the value of a tag.</summary>
internal static class ProgramEndTag
{
    public static string Of(ProgramEnd end) => end switch
    {
        ProgramEnd.Exited => "exited",
        ProgramEnd.Signaled => "signaled",
        ProgramEnd.MemoryLimit => "memory_limit",
        ProgramEnd.OutputLimit => "output_limit",
        ProgramEnd.TimeLimit => "time_limit",
        ProgramEnd.Deadlock => "deadlock",
        ProgramEnd.CpuTimeLimit => "cpu_time_limit",
        ProgramEnd.InstructionLimit => "instruction_limit",
        ProgramEnd.SystemCallLimit => "system_call_limit",
        _ => throw new ArgumentOutOfRangeException(nameof(end), end, "There is no such end."),
    };
}
