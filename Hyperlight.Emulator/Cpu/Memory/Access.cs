namespace Hyperlight.Emulator.Cpu;

/// <summary>What an access to memory is for.</summary>
internal enum Access
{
    Read,
    Write,
    Fetch,
}
