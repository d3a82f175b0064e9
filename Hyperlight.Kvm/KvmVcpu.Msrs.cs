using Hyperlight.Abstractions;
using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>Model-specific registers. EFER and the bases of segments are special registers too.</summary>
internal sealed unsafe partial class KvmVcpu
{
    /// <summary>How many registers one request carries.</summary>
    private const int MsrsAtOnce = 128;

    /// <summary>Ticks of a time-stamp counter: more than a quarter of an hour on any processor.</summary>
    private const ulong FarTime = 1UL << 44;

    /// <summary>KVM_GET_MSRS.</summary>
    public void GetMsrs(Span<ModelSpecificRegister> registers)
    {
        FlushSpecialRegisters();
        MsrBuffer buffer;
        KvmMsrEntry* entries = (KvmMsrEntry*)buffer.Entries;
        while (!registers.IsEmpty)
        {
            Span<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, MsrsAtOnce)];
            Fill(&buffer, part);
            TransferMsrs(KvmIoctls.KVM_GET_MSRS, nameof(KvmIoctls.KVM_GET_MSRS), &buffer);
            for (int i = 0; i < part.Length; i++)
            {
                part[i] = new ModelSpecificRegister(entries[i].Index, entries[i].Data);
            }

            registers = registers[part.Length..];
        }
    }

    /// <summary>KVM_SET_MSRS.</summary>
    public void SetMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        FlushSpecialRegisters();
        MoveTimeStampCounter(registers);
        LeaveTimeStampCounter(registers);
        WriteMsrs(registers);
    }

    private void WriteMsrs(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        MsrBuffer buffer;
        while (!registers.IsEmpty)
        {
            ReadOnlySpan<ModelSpecificRegister> part = registers[..Math.Min(registers.Length, MsrsAtOnce)];
            Fill(&buffer, part);
            TransferMsrs(KvmIoctls.KVM_SET_MSRS, nameof(KvmIoctls.KVM_SET_MSRS), &buffer);
            registers = registers[part.Length..];
        }
    }

    // SAFETY: the callers cut their registers into parts that the buffer has room for.
    private static void Fill(MsrBuffer* buffer, ReadOnlySpan<ModelSpecificRegister> registers)
    {
        KvmMsrEntry* entries = (KvmMsrEntry*)buffer->Entries;
        buffer->Header = new KvmMsrs { NMsrs = (uint)registers.Length };
        for (int i = 0; i < registers.Length; i++)
        {
            entries[i] = new KvmMsrEntry { Index = registers[i].Index, Data = registers[i].Value };
        }
    }

    /// <summary>
    /// A processor moves its time-stamp counter when the adjustment is written; KVM does so for its guests, but takes the
    /// adjustment from its host as a mere record. So the counter is moved here.
    /// </summary>
    private void MoveTimeStampCounter(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        foreach (ModelSpecificRegister register in registers)
        {
            if (register.Index == KvmMsrs.MSR_IA32_TSC_ADJUST)
            {
                Span<ModelSpecificRegister> now = [new(KvmMsrs.MSR_IA32_TSC_ADJUST), new(KvmMsrs.MSR_IA32_TSC)];
                GetMsrs(now);
                if (now[0].Value != register.Value)
                {
                    SetMsrs([now[1] with { Value = now[1].Value + register.Value - now[0].Value }]);
                }
            }
        }
    }

    /// <summary>
    /// KVM takes a time-stamp counter that is within a second of what it expects for one that is to be synchronized, and
    /// keeps its own. So a value that is far from the new one is written before.
    /// </summary>
    private void LeaveTimeStampCounter(ReadOnlySpan<ModelSpecificRegister> registers)
    {
        foreach (ModelSpecificRegister register in registers)
        {
            if (register.Index == KvmMsrs.MSR_IA32_TSC)
            {
                WriteMsrs([register with { Value = register.Value + FarTime }]);
            }
        }
    }

    /// <summary>Both requests answer how many registers they managed, in order.</summary>
    private void TransferMsrs(uint request, string operation, MsrBuffer* buffer)
    {
        // SAFETY: the header says how many entries follow it, and KVM answers no more than that.
        int done = _handle.Ioctl(request, buffer);
        KvmError.Check(done, operation);
        if (done < buffer->Header.NMsrs)
        {
            uint index = ((KvmMsrEntry*)buffer->Entries)[done].Index;
            throw KvmError.Create(-Errno.EINVAL, $"{operation} of MSR 0x{index:X}");
        }
    }

    /// <summary>The structure and its entries.</summary>
    private struct MsrBuffer
    {
        public KvmMsrs Header;
        public fixed byte Entries[MsrsAtOnce * 16];
    }
}
