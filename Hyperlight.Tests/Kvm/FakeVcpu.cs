using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Kvm;

/// <summary>A vCPU of the simulated kernel: registers that scripts and tests may read and change.</summary>
internal sealed unsafe partial class FakeVcpu(FakeKvmKernel kernel, FakeVm machine)
{
    /// <summary>The time-stamp counter. It stands still, unless someone moves it.</summary>
    public const uint TimeStampCounter = 0x10;

    /// <summary>What was added to the counter.</summary>
    public const uint TimeStampAdjustment = 0x3B;

    /// <summary>What the counter counts.</summary>
    public const ulong TicksPerSecond = 2_000_000_000;

    private int _runPageSize;

    /// <summary>The machine it belongs to.</summary>
    public FakeVm Machine => machine;

    /// <summary>The run page; null before it is mapped.</summary>
    public KvmRun* RunPage { get; private set; }

    /// <summary>General registers: in a script, those the guest has.</summary>
    public KvmRegs Regs = new() { Rip = 0xFFF0, Rflags = 2 };

    public KvmSregs Sregs;

    /// <summary>How often the translations of virtual addresses were dropped before the guest was entered.</summary>
    public int Flushes { get; private set; }

    /// <summary>Whether they are dropped at the next entry.</summary>
    private bool _isFlushDue;

    public KvmDebugregs Debugregs;

    /// <summary>What is pending or being delivered.</summary>
    public KvmVcpuEvents Events;

    public ulong Xcr0 { get; set; } = 1;

    public byte[] Xsave { get; } = new byte[kernel.Capabilities[KvmCapabilities.KVM_CAP_XSAVE2]];

    /// <summary>Model-specific registers; an index that is not here is refused.</summary>
    public Dictionary<uint, ulong> Msrs { get; } = new() { [TimeStampCounter] = 0, [TimeStampAdjustment] = 0, [0x174] = 0, [0xC000_0100] = 0, [0xC000_0101] = 0, [0xC000_0102] = 0 };

    /// <summary>The bits of model-specific registers that nothing clears once they are set.</summary>
    public Dictionary<uint, ulong> StickyBits { get; } = [];

    public List<KvmCpuidEntry2> Cpuid { get; } = [];

    /// <summary>The signals that stay blocked while a guest runs.</summary>
    public ulong? SignalMask { get; private set; }

    /// <summary>How often KVM_RUN was called.</summary>
    public int Runs { get; private set; }

    /// <summary>Whether KVM reports one piece of an access after another, without end.</summary>
    public bool EndlessPieces { get; set; }

    public bool IsClosed { get; set; }

    public void MapRunPage(nint address, int length)
    {
        RunPage = (KvmRun*)address;
        _runPageSize = length;
    }

    /// <summary>The bytes of the run page and of those behind it.</summary>
    public Span<byte> RunPageBytes => new(RunPage, _runPageSize);

    /// <summary>
    /// A guest's WRMSR. The counter and its adjustment move together, as they do in a processor; for KVM_SET_MSRS, which is
    /// the host's, they do not.
    /// </summary>
    /// <returns>Whether there is no #GP.</returns>
    public bool WriteMsr(uint index, ulong value)
    {
        if (!Msrs.TryGetValue(index, out ulong old) || machine.MsrFilter?.Permits(index, KvmMsrFilterRange.KVM_MSR_FILTER_WRITE) == false)
        {
            return false;
        }

        ulong difference = value - old;
        Msrs[index] = value;
        if (index is TimeStampCounter or TimeStampAdjustment)
        {
            Msrs[index ^ TimeStampCounter ^ TimeStampAdjustment] += difference;
        }

        return true;
    }

    /// <summary>A guest's RDMSR; <see langword="null"/> for #GP.</summary>
    public ulong? ReadMsr(uint index) =>
        Msrs.TryGetValue(index, out ulong value) && machine.MsrFilter?.Permits(index, KvmMsrFilterRange.KVM_MSR_FILTER_READ) != false
            ? value
            : null;

    /// <summary>KVM_RUN, around the script.</summary>
    public int Run()
    {
        Runs++;
        if ((RunPage->DirtyRegs & KvmCapabilities.KVM_SYNC_X86_REGS) != 0)
        {
            Regs = RunPage->Regs;
        }

        if ((RunPage->DirtyRegs & KvmCapabilities.KVM_SYNC_X86_SREGS) != 0)
        {
            LoadSpecial(RunPage->Sregs);
        }

        if ((RunPage->DirtyRegs & KvmCapabilities.KVM_SYNC_X86_EVENTS) != 0)
        {
            if (SetEvents(RunPage->Events) is < 0 and int error)
            {
                return error;
            }
        }

        RunPage->DirtyRegs = 0;

        int result = CompleteAccess() ? RunGuest() : 0;
        RunPage->ReadyForInterruptInjection = (byte)(CanBeInterrupted ? 1 : 0);
        if ((RunPage->ValidRegs & KvmCapabilities.KVM_SYNC_X86_REGS) != 0)
        {
            RunPage->Regs = Regs;
        }

        return result;
    }

    /// <summary>KVM_SET_VCPU_EVENTS. A pending triple fault stays unless the events say something of it.</summary>
    private int SetEvents(KvmVcpuEvents events)
    {
        bool isOfTripleFault = (events.Flags & KvmVcpuEvents.KVM_VCPUEVENT_VALID_TRIPLE_FAULT) != 0;
        if (isOfTripleFault && !machine.HasTripleFaultEvent)
        {
            return -Errno.EINVAL;
        }

        byte pending = isOfTripleFault ? events.TripleFaultPending : Events.TripleFaultPending;
        Events = events with { TripleFaultPending = pending };
        return 0;
    }

    /// <summary>As KVM does when it is asked for the debug registers: a pending single-step trap becomes visible in DR6.</summary>
    private void ReportPendingTrap()
    {
        const ulong singleStep = 1 << 14;
        if (Events is { ExceptionInjected: 1, ExceptionNr: 1 })
        {
            Debugregs.Dr6 |= singleStep;
        }
    }

    /// <summary>As KVM says at each exit.</summary>
    private bool CanBeInterrupted => (Regs.Rflags & 0x200) != 0 && Events is { InterruptShadow: 0, InterruptInjected: 0 };

    /// <summary>What a guest does first that is interrupted: the vector, or <see langword="null"/> if it is not.</summary>
    public byte? TakeInterrupt()
    {
        byte? vector = Events.InterruptInjected != 0 ? Events.InterruptNr : null;
        Events.InterruptInjected = 0;
        return vector;
    }

    /// <summary>KVM_INTERRUPT: what is injected is delivered whether or not the guest has interrupts on, and the entry fails then.</summary>
    private int Interrupt(uint vector)
    {
        if (vector > byte.MaxValue)
        {
            return -Errno.EINVAL;
        }

        if (!CanBeInterrupted)
        {
            kernel.Violations.Add("an interrupt was injected into a guest that cannot be interrupted");
        }

        (Events.InterruptInjected, Events.InterruptNr) = (1, (byte)vector);
        return 0;
    }

    private int RunGuest()
    {
        if (RunPage->ImmediateExit == 0)
        {
            if (Events.InterruptInjected != 0 && (Regs.Rflags & 0x200) == 0)
            {
                kernel.Violations.Add("a guest was entered with an interrupt that it cannot take");
            }

            // The script is what the guest does until its next exit; where it turns interrupts on, it exits by itself.
            if (RunPage->RequestInterruptWindow != 0 && CanBeInterrupted)
            {
                return Exit(KvmRun.KVM_EXIT_IRQ_WINDOW_OPEN);
            }

            Flushes += _isFlushDue ? 1 : 0;
            _isFlushDue = false;
            return kernel.OnRun(this);
        }

        return EndlessPieces ? ExitMmio(0, 8, isWrite: true) : -Errno.EINTR;
    }

    /// <summary>As KVM does: the translations are dropped if one of these changes, and not otherwise.</summary>
    private void LoadSpecial(in KvmSregs sregs)
    {
        _isFlushDue |= (sregs.Cr0, sregs.Cr3, sregs.Cr4, sregs.Efer) != (Sregs.Cr0, Sregs.Cr3, Sregs.Cr4, Sregs.Efer);
        Sregs = sregs;
    }

    /// <summary>Every other request.</summary>
    public int Ioctl(uint request, nint argument)
    {
        switch (request)
        {
            case KvmIoctls.KVM_GET_REGS:
                *(KvmRegs*)argument = Regs;
                return 0;
            case KvmIoctls.KVM_SET_REGS:
                Regs = *(KvmRegs*)argument;
                return 0;
            case KvmIoctls.KVM_GET_SREGS:
                *(KvmSregs*)argument = Sregs;
                return 0;
            case KvmIoctls.KVM_SET_SREGS:
                LoadSpecial(*(KvmSregs*)argument);
                return 0;
            case KvmIoctls.KVM_GET_DEBUGREGS:
                ReportPendingTrap();
                *(KvmDebugregs*)argument = Debugregs;
                return 0;
            case KvmIoctls.KVM_SET_DEBUGREGS:
                Debugregs = *(KvmDebugregs*)argument;
                return 0;
            case KvmIoctls.KVM_SET_VCPU_EVENTS:
                return SetEvents(*(KvmVcpuEvents*)argument);
            case KvmIoctls.KVM_INTERRUPT:
                return Interrupt(((KvmInterrupt*)argument)->Irq);
            case KvmIoctls.KVM_GET_XCRS:
                *(KvmXcrs*)argument = new KvmXcrs { NrXcrs = 1, Value = Xcr0 };
                return 0;
            case KvmIoctls.KVM_SET_XCRS:
                // As KVM does: x87 state cannot be disabled.
                if ((((KvmXcrs*)argument)->Value & 1) == 0)
                {
                    return -Errno.EINVAL;
                }

                Xcr0 = ((KvmXcrs*)argument)->Value;
                return 0;
            case KvmIoctls.KVM_GET_XSAVE or KvmIoctls.KVM_GET_XSAVE2:
                Xsave.AsSpan().CopyTo(new Span<byte>((void*)argument, Xsave.Length));
                return 0;
            case KvmIoctls.KVM_SET_XSAVE:
                new ReadOnlySpan<byte>((void*)argument, Xsave.Length).CopyTo(Xsave);
                return 0;
            case KvmIoctls.KVM_GET_MSRS:
                return TransferMsrs((KvmMsrs*)argument, write: false);
            case KvmIoctls.KVM_SET_MSRS:
                return TransferMsrs((KvmMsrs*)argument, write: true);
            case KvmIoctls.KVM_SET_CPUID2:
                KvmCpuid2* cpuid = (KvmCpuid2*)argument;
                Cpuid.Clear();
                Cpuid.AddRange(new ReadOnlySpan<KvmCpuidEntry2>(cpuid + 1, (int)cpuid->NEnt));
                return 0;
            case KvmIoctls.KVM_SET_SIGNAL_MASK:
                SignalMask = ((KvmSignalMask*)argument)->Sigset;
                return 0;
            default:
                return -Errno.ENOTTY;
        }
    }

    /// <summary>Whether two values of the counter are less than a second apart.</summary>
    private static bool IsNear(ulong first, ulong second) => Math.Min(first - second, second - first) < TicksPerSecond;

    private int TransferMsrs(KvmMsrs* msrs, bool write)
    {
        KvmMsrEntry* entries = (KvmMsrEntry*)(msrs + 1);
        for (int i = 0; i < msrs->NMsrs; i++)
        {
            if (!Msrs.TryGetValue(entries[i].Index, out ulong old))
            {
                return i;
            }

            if (write && entries[i].Index == TimeStampCounter && IsNear(entries[i].Data, old))
            {
                // As KVM does: that is an attempt to synchronize the counters of several processors.
            }
            else if (write)
            {
                ulong sticky = old & StickyBits.GetValueOrDefault(entries[i].Index);
                Msrs[entries[i].Index] = entries[i].Data | sticky;
            }
            else
            {
                entries[i].Data = old;
            }
        }

        return (int)msrs->NMsrs;
    }
}
