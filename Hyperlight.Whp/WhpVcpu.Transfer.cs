using Hyperlight.Whp.Interop;

namespace Hyperlight.Whp;

/// <summary>
/// Registers by their names: WHvGetVirtualProcessorRegisters and WHvSetVirtualProcessorRegisters. Names and values lie in
/// native memory of the processor, as values have to begin at a multiple of 16.
/// </summary>
internal sealed unsafe partial class WhpVcpu
{
    /// <summary>How many registers one call carries: all that a reset sets, and all model-specific registers.</summary>
    private const int RegistersAtOnce = 160;

    private const int ExitContextSize = 224;
    private const int ValuesOffset = 256;
    private const int NamesOffset = ValuesOffset + (RegistersAtOnce * 16);
    private const int BufferSize = NamesOffset + (RegistersAtOnce * sizeof(uint));

    private int _count;

    // SAFETY: the buffer has room for the exit context, then for the values, then for the names.
    private WhvRunVpExitContext* ExitContext => (WhvRunVpExitContext*)_buffer.Pointer;

    private WhvRegisterValue* Values => (WhvRegisterValue*)(_buffer.Pointer + ValuesOffset);

    private uint* Names => (uint*)(_buffer.Pointer + NamesOffset);

    /// <summary>Begins a list of registers.</summary>
    private void Begin() => _count = 0;

    /// <summary>Adds a register to be read, or one of at most 64 bits to be written.</summary>
    private void Add(uint name, ulong value = 0)
    {
        ref WhvRegisterValue place = ref AddPlace(name);
        place.Reg64 = value;
    }

    /// <summary>Adds a register.</summary>
    /// <returns>The place of its value, which is zero.</returns>
    private ref WhvRegisterValue AddPlace(uint name)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(_count, RegistersAtOnce, nameof(name));
        Names[_count] = name;
        Values[_count] = default;
        return ref Values[_count++];
    }

    /// <summary>Reads the registers of the list.</summary>
    /// <exception cref="HypervisorException">One of them cannot be read; it is named.</exception>
    private void Get()
    {
        int result = Get(0, _count);
        if (result < 0)
        {
            const string Function = nameof(WinHvPlatform.WHvGetVirtualProcessorRegisters);
            throw Refused(result, Function, FindRefused(Get));
        }
    }

    /// <summary>Writes the registers of the list.</summary>
    /// <exception cref="HypervisorException">One of them cannot be written; it is named, and those before it are written.</exception>
    private void Set()
    {
        int result = Set(0, _count);
        if (result < 0)
        {
            const string Function = nameof(WinHvPlatform.WHvSetVirtualProcessorRegisters);
            throw Refused(result, Function, FindRefused(Set));
        }
    }

    /// <summary>Reads a register that the hypervisor may not have: one by one, as it would refuse all for one.</summary>
    private bool TryGet(uint name, out ulong value)
    {
        Begin();
        Add(name);
        int result = Get(0, 1);
        value = Values[0].Reg64;
        return result >= 0 ? true
            : IsUnknownRegister(result) ? false
            : throw WhpError.Create(result, nameof(WinHvPlatform.WHvGetVirtualProcessorRegisters));
    }

    /// <summary>What says that the processor does not have a register, and not that the call has failed.</summary>
    private static bool IsUnknownRegister(int result) => result
        is HResults.WHV_E_INVALID_VP_REGISTER_NAME or HResults.E_INVALIDARG or HResults.E_NOTIMPL or HResults.E_ACCESSDENIED;

    private int Get(int first, int count) =>
        _partition.WinHv.GetVirtualProcessorRegisters(_partition.Value, WhpPartition.Vp, Names + first, (uint)count, Values + first);

    private int Set(int first, int count) =>
        _partition.WinHv.SetVirtualProcessorRegisters(_partition.Value, WhpPartition.Vp, Names + first, (uint)count, Values + first);

    /// <summary>The platform does not say which register it refuses, and transfers none: each is tried alone.</summary>
    private int FindRefused(Func<int, int, int> transfer)
    {
        for (int i = 0; i < _count; i++)
        {
            if (transfer(i, 1) < 0)
            {
                return i;
            }
        }

        return -1;
    }

    private HypervisorException Refused(int result, string function, int index) =>
        WhpError.Create(result, index < 0 ? function : $"{function} of register 0x{Names[index]:X}");
}
