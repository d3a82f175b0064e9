using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Hyperlight.Abstractions;
using Hyperlight.Host.Functions;
using Hyperlight.Host.Memory;
using Hyperlight.Host.Protocol;
using Hyperlight.Host.Wire;
using Hyperlight.Tests.Host.Elf;
using Hyperlight.Tests.Host.Sandboxes;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A guest of the simulated kernel, in C# instead of machine code: it initialises as a guest does, and knows a few of the
/// test guest's functions by the same names. All it remembers is in its memory, so that it can be captured and restored.
/// </summary>
internal static class FakeGuest
{
    private const ulong Dispatcher = 0x2000;
    private const ulong AfterHostCall = 0x2100;
    private const ulong AfterHalt = 0x2200;
    private const ulong Stack = 0xFFFF_FEFF_FFFF_FFE0;
    private const uint ScratchSlot = 1;

    /// <summary>Pages behind the root table that the host's tables may take; the guest's own come after them.</summary>
    private const int HostTables = 10;

    /// <summary>What the host is given to load. It is never executed.</summary>
    public static GuestBinary Binary { get; } = GuestBinary.FromBytes(TestElf.OfCode([0xF4]).Build(), "simulated guest");

    /// <summary>For <see cref="FakeKvmKernel.OnRun"/>.</summary>
    public static int Run(FakeVcpu vcpu)
    {
        FakeVm machine = vcpu.Machine;
        ushort port = GuestPort.Halt;
        switch (vcpu.Regs.Rip)
        {
            case Dispatcher:
                port = Answer(vcpu, machine);
                break;
            case AfterHostCall:
                Push(machine, new FunctionResultReader(GuestBuffers.Pop(Input(machine))).GetValue<int>());
                break;
            default:
                (vcpu.Regs.Rax, vcpu.Regs.Rsp) = (Dispatcher, Stack);
                break;
        }

        vcpu.Regs.Rip = port == GuestPort.Halt ? AfterHalt : AfterHostCall;
        return vcpu.ExitIoOut(port, 0);
    }

    /// <summary>Begins to answer a call, and returns the port that the guest writes to next.</summary>
    private static ushort Answer(FakeVcpu vcpu, FakeVm machine)
    {
        var call = new FunctionCallReader(GuestBuffers.Pop(Input(machine)));
        switch (Encoding.UTF8.GetString(call.Name))
        {
            case "Add":
                Push(machine, call.GetParameter<int>(0) + call.GetParameter<int>(1));
                return GuestPort.Halt;
            case "RoundTripInt":
                CallHost(machine, call.GetParameter<int>(0));
                return GuestPort.CallFunction;
            case "MapAndRead":
                Push(machine, MemoryMarshal.Read<ulong>(machine.Memory(call.GetParameter<ulong>(0), sizeof(ulong))));
                return GuestPort.Halt;
            case "MapPhysical":
                MapPage(machine, vcpu.Sregs.Cr3, call.GetParameter<ulong>(0));
                Push(machine, default(Unit));
                return GuestPort.Halt;
            case "WriteMsr":
                if (!vcpu.WriteMsr(call.GetParameter<uint>(0), call.GetParameter<ulong>(1)))
                {
                    return GuestPort.Abort;
                }

                Push(machine, default(Unit));
                return GuestPort.Halt;
            default:
                return GuestPort.Abort;
        }
    }

    private static void CallHost(FakeVm machine, int argument)
    {
        GuestValue[] arguments = [argument];
        byte[] message = new byte[FunctionCallEncoder.Encode(default, "HostEchoInt", arguments, GuestValueType.Int)];
        FunctionCallEncoder.Encode(message, "HostEchoInt", arguments, GuestValueType.Int);
        GuestBuffers.Push(Output(machine), message);
    }

    private static void Push<T>(FakeVm machine, T result)
    {
        byte[] message = new byte[FunctionResultEncoder.EncodeValue(default, result)];
        FunctionResultEncoder.EncodeValue(message, result);
        GuestBuffers.Push(Output(machine), message);
    }

    private static Span<byte> Input(FakeVm machine) =>
        machine.Memory(machine.Slots[ScratchSlot].GuestPhysAddr, GuestBuffers.DefaultSize);

    private static Span<byte> Output(FakeVm machine) =>
        machine.Memory(machine.Slots[ScratchSlot].GuestPhysAddr + GuestBuffers.DefaultSize, GuestBuffers.DefaultSize);

    /// <summary>Maps a physical page at the same virtual address, copy-on-write. There is one table of the guest's own for each level.</summary>
    private static void MapPage(FakeVm machine, ulong root, ulong page)
    {
        ulong table = root;
        ulong own = root + (HostTables * GuestPage.Size);
        for (int shift = 39; shift > 12; shift -= 9, own += GuestPage.Size)
        {
            Span<byte> entry = Entry(machine, table, page >> shift);
            table = MemoryMarshal.Read<ulong>(entry) & PageTableEntry.AddressMask;
            if (table == 0)
            {
                table = own;
                BinaryPrimitives.WriteUInt64LittleEndian(entry, table | PageTableEntry.Present | PageTableEntry.Writable);
            }
        }

        BinaryPrimitives.WriteUInt64LittleEndian(
            Entry(machine, table, page >> 12), page | PageTableEntry.Present | PageTableEntry.CopyOnWrite);
    }

    private static Span<byte> Entry(FakeVm machine, ulong table, ulong index) =>
        machine.Memory(table + ((index & 511) * sizeof(ulong)), sizeof(ulong));
}
