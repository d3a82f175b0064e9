namespace Hyperlight.Programs.Pools;

/// <summary>What runs a program in a sandbox of a pool.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Function">The kernel's function that runs the program from the state that the machine has.</param>
internal sealed record PooledProgram(KernelMachine Machine, string Function);
