using System.Runtime.InteropServices;
using Hyperlight.Linux;

namespace Hyperlight.Tests.Mshv;

/// <summary>
/// MSHV_ROOT_HVCALL: what the kernel checks before it passes a call on, and what the hypervisor does with it. Offsets are
/// those of struct mshv_root_hvcall.
/// </summary>
internal readonly unsafe struct SimulatedHypercall(nint argument)
{
    public const ushort Success = 0;
    public const ushort InvalidParameter = 5;
    public const ushort InvalidPartitionState = 7;
    public const ushort UnknownProperty = 9;
    public const ushort ValueOutOfRange = 10;
    public const ushort InsufficientMemory = 11;
    public const ushort InvalidVpIndex = 14;

    private const ushort SetPartitionProperty = 0x45;
    private const ushort GetVpRegisters = 0x50;
    private const ushort SetVpRegisters = 0x51;
    private const ushort TranslateVirtualAddress = 0x52;
    private const int HeadSize = 16;
    private const int NameSize = 4;
    private const int ValueSize = 16;
    private const int AssociationSize = 32;
    private const int Page = 4096;

    private Span<byte> Arguments => new((void*)argument, 32);

    private ushort Code => MemoryMarshal.Read<ushort>(Arguments);

    private ushort Reps => MemoryMarshal.Read<ushort>(Arguments[2..]);

    private Span<byte> Input => new((void*)MemoryMarshal.Read<nint>(Arguments[16..]), MemoryMarshal.Read<ushort>(Arguments[4..]));

    private Span<byte> Output => new((void*)MemoryMarshal.Read<nint>(Arguments[24..]), MemoryMarshal.Read<ushort>(Arguments[6..]));

    /// <summary>Makes the call.</summary>
    /// <param name="partition">The partition it is about.</param>
    /// <param name="vp">The processor whose descriptor was used, if it was one.</param>
    public int Dispatch(SimulatedPartition partition, SimulatedVp? vp)
    {
        if (IsMalformed() || (Code == SetPartitionProperty ? vp is not null : Code is not (GetVpRegisters or SetVpRegisters or TranslateVirtualAddress)))
        {
            return -Errno.EINVAL;
        }

        // The kernel writes the partition's number over whatever the caller had there.
        if (MemoryMarshal.Read<ulong>(Input) != 0)
        {
            partition.Kernel.Violations.Add("the place of the partition's number was not left empty");
        }

        MemoryMarshal.Write(Input, 0x1234UL);
        SimulatedMshvTraits traits = partition.Kernel.Traits;
        if (traits.MemoryShortages > 0)
        {
            traits.MemoryShortages--;
            return Finish(InsufficientMemory, 0, -Errno.EAGAIN);
        }

        if (Code == SetPartitionProperty)
        {
            ushort status = Input.Length < 24
                ? InvalidParameter
                : partition.SetProperty(MemoryMarshal.Read<uint>(Input[8..]), MemoryMarshal.Read<ulong>(Input[16..]));
            return Finish(status, 0, status == Success ? 0 : -Errno.EIO);
        }

        return vp is null ? Finish(InvalidVpIndex, 0, -Errno.EIO)
            : Code == TranslateVirtualAddress ? Translate(vp, traits.RefusesTranslations)
            : Transfer(vp, traits.RepsAtOnce);
    }

    private int Translate(SimulatedVp vp, bool refuses)
    {
        if (refuses || Input.Length < 32 || Output.Length < ValueSize || Reps != 0
            || MemoryMarshal.Read<uint>(Input[8..]) != 0 || MemoryMarshal.Read<uint>(Input[12..]) != 0)
        {
            return Finish(InvalidParameter, 0, -Errno.EIO);
        }

        ulong page = MemoryMarshal.Read<ulong>(Input[24..]);
        uint code = vp.Translate(page << 12, MemoryMarshal.Read<ulong>(Input[16..]), out ulong physical);
        Output.Clear();
        MemoryMarshal.Write(Output, code);
        MemoryMarshal.Write(Output[8..], physical >> 12);
        return Finish(Success, 0, 0);
    }

    private bool IsMalformed() =>
        Arguments[8..16].ContainsAnyExcept((byte)0)
        || MemoryMarshal.Read<nint>(Arguments[16..]) == 0
        || Input.Length is < 8 or > Page
        || Output.Length > Page
        || (Output.Length != 0) != (MemoryMarshal.Read<nint>(Arguments[24..]) != 0);

    private int Transfer(SimulatedVp vp, int repsAtOnce)
    {
        bool writes = Code == SetVpRegisters;
        int elementSize = writes ? AssociationSize : NameSize;
        if (Input.Length != HeadSize + (Reps * elementSize) || (!writes && Output.Length != Reps * ValueSize)
            || MemoryMarshal.Read<uint>(Input[8..]) != 0 || Input[12..HeadSize].ContainsAnyExcept((byte)0))
        {
            return Finish(InvalidParameter, 0, -Errno.EINVAL);
        }

        int wanted = repsAtOnce > 0 ? Math.Min(repsAtOnce, Reps) : Reps;
        using SimulatedRegisters registers = vp.OpenRegisters();
        for (int i = 0; i < wanted; i++)
        {
            Span<byte> element = Input.Slice(HeadSize + (i * elementSize), elementSize);
            uint name = MemoryMarshal.Read<uint>(element);
            bool isDone = writes
                ? !element[NameSize..HeadSize].ContainsAnyExcept((byte)0) && registers.TryWrite(name, element[HeadSize..])
                : registers.TryRead(name, Output.Slice(i * ValueSize, ValueSize));
            if (!isDone)
            {
                return Finish(InvalidParameter, i, -Errno.EIO);
            }
        }

        return Finish(Success, wanted, 0);
    }

    private int Finish(ushort status, int completed, int result)
    {
        MemoryMarshal.Write(Arguments[2..], (ushort)completed);
        MemoryMarshal.Write(Arguments[8..], status);
        return result;
    }
}
