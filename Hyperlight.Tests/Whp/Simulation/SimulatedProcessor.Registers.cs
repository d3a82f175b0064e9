using Hyperlight.Whp.Interop;

namespace Hyperlight.Tests.Whp;

/// <summary>WHvGetVirtualProcessorRegisters and WHvSetVirtualProcessorRegisters.</summary>
internal sealed partial class SimulatedProcessor
{
    private const int ValueSize = 16;

    private readonly SimulatedRegisters _registers = new(partition, machine);

    public unsafe int GetRegisters(ReadOnlySpan<uint> names, WhvRegisterValue* values)
    {
        if (Check(names, values) is < 0 and var refused)
        {
            return refused;
        }

        _registers.Open();
        var bytes = new Span<byte>(values, names.Length * ValueSize);
        for (int i = 0; i < names.Length; i++)
        {
            _registers.Read(names[i], bytes.Slice(i * ValueSize, ValueSize));
        }

        return SimulatedResults.Ok;
    }

    public unsafe int SetRegisters(ReadOnlySpan<uint> names, WhvRegisterValue* values)
    {
        if (Check(names, values) is < 0 and var refused)
        {
            return refused;
        }

        _registers.Open();
        var bytes = new ReadOnlySpan<byte>(values, names.Length * ValueSize);
        for (int i = 0; i < names.Length; i++)
        {
            if (!_registers.TryWrite(names[i], bytes.Slice(i * ValueSize, ValueSize)))
            {
                return SimulatedResults.InvalidArgument;
            }
        }

        _registers.Store();
        return SimulatedResults.Ok;
    }

    /// <summary>A name that the platform does not have fails the whole call, and nothing is transferred.</summary>
    private unsafe int Check(ReadOnlySpan<uint> names, WhvRegisterValue* values)
    {
        if ((nint)values % ValueSize != 0)
        {
            partition.Platform.Violations.Add("register values that do not begin at a multiple of 16");
            return SimulatedResults.InvalidArgument;
        }

        if (IsRunning)
        {
            partition.Platform.Violations.Add("registers were accessed while the processor runs");
            return SimulatedResults.InvalidVpState;
        }

        foreach (uint name in names)
        {
            if (name == SimulatedRegisters.ApicBase && partition.EmulatesApic)
            {
                return SimulatedResults.AccessDenied;
            }

            if (!_registers.Has(name))
            {
                return SimulatedResults.InvalidRegisterName;
            }
        }

        return SimulatedResults.Ok;
    }
}
