using Hyperlight.Abstractions;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Emulator.Decoding;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Cpu;

/// <summary>What an access to memory is for.</summary>
internal enum Access
{
    Read,
    Write,
    Fetch,
}
