using Hyperlight.Abstractions;
using static Hyperlight.Emulator.Cpu.ExceptionVectors;

namespace Hyperlight.Emulator.Cpu;

/// <summary>Loads segment registers, with all checks.</summary>
internal sealed unsafe class SegmentLoader(ProcessorState* state, PendingEvent pending, DescriptorTables descriptors, InterruptWindow interrupts)
{
    public const int CsIndex = 1;
    public const int SsIndex = 2;

    public ref SegmentRegister Of(int index)
    {
        switch (index)
        {
            case 0: return ref state->Segments.Es;
            case CsIndex: return ref state->Segments.Cs;
            case SsIndex: return ref state->Segments.Ss;
            case 3: return ref state->Segments.Ds;
            case 4: return ref state->Segments.Fs;
            default: return ref state->Segments.Gs;
        }
    }

    /// <summary>A null SS, as 64-bit mode allows below CPL 3. It has the DPL of the CPL all the same.</summary>
    public static SegmentRegister NullStack(ushort selector, int level) =>
        new() { Selector = selector, Attributes = (ushort)(level << 5) };

    public bool Load(int register, ushort selector) => register switch
    {
        CsIndex => pending.Fault(InvalidOpcode, 0),
        SsIndex => LoadStack(selector, state->Segments.Cpl, out SegmentRegister stack) && Set(ref state->Segments.Ss, in stack) && interrupts.CastShadow(),
        _ => LoadData(selector, out SegmentRegister data) && Set(ref Of(register), in data),
    };

    private static bool Set(ref SegmentRegister register, in SegmentRegister value)
    {
        register = value;
        return true;
    }

    /// <summary>What DS, ES, FS and GS take: data, or code that can be read.</summary>
    private bool LoadData(ushort selector, out SegmentRegister segment)
    {
        segment = new SegmentRegister { Selector = selector };
        if ((selector & ~3) == 0)
        {
            return true;
        }

        if (!descriptors.Load(selector, out segment, out ulong low))
        {
            return false;
        }

        bool isReadable = segment.IsCodeOrData && (segment.Type & 0xA) != 8;
        bool isPermitted = DescriptorTables.IsConforming(in segment) || segment.PrivilegeLevel >= Math.Max(state->Segments.Cpl, selector & 3);
        return !isReadable || !isPermitted ? pending.SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? pending.SelectorFault(SegmentNotPresent, selector)
            : descriptors.MarkAccessed(selector, low, ref segment);
    }

    /// <summary>What SS takes at a privilege level: data that can be written, of just this level.</summary>
    public bool LoadStack(ushort selector, int level, out SegmentRegister segment)
    {
        segment = NullStack(selector, level);
        if ((selector & ~3) == 0)
        {
            return (level != 3 && (selector & 3) == level) || pending.Fault(GeneralProtection, 0);
        }

        if (!descriptors.Load(selector, out segment, out ulong low))
        {
            return false;
        }

        bool isWritable = segment.IsCodeOrData && (segment.Type & 0xA) == 2;
        bool isPermitted = (selector & 3) == level && segment.PrivilegeLevel == level;
        return !isWritable || !isPermitted ? pending.SelectorFault(GeneralProtection, selector)
            : !segment.IsPresent ? pending.SelectorFault(StackFaultVector, selector)
            : descriptors.MarkAccessed(selector, low, ref segment);
    }

    /// <summary>On the way out to a less privileged level: what it may not have is taken away.</summary>
    public void DropPrivileged()
    {
        foreach (int register in (ReadOnlySpan<int>)[0, 3, 4, 5])
        {
            ref SegmentRegister segment = ref Of(register);
            if (segment.IsPresent && !DescriptorTables.IsConforming(in segment) && segment.PrivilegeLevel < state->Segments.Cpl)
            {
                segment = default;
            }
        }
    }
}
