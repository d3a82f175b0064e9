using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Iced.Intel;

namespace Hyperlight.Tests.Machine;

/// <summary>
/// A guest with descriptor tables, a task state segment, an IDT with a handler for each vector and 4 KiB pages, at CPL 0 or
/// 3. Each handler sends a byte to the port of its vector's number, so that the host sees every exception, and returns.
/// </summary>
internal sealed class SystemGuest : IDisposable
{
    public const ulong KernelCode = 0x8000;
    public const ulong UserCode = 0xA000;
    public const ulong UserStackTop = 0xC000;
    public const ulong Data = 0xC000;
    public const ulong UserData = 0xD000;
    public const ulong KernelStackTop = 0x12000;
    public const ulong IstStackTop = 0x14000;
    public const ulong StackTop = 0x16000;

    /// <summary>More code of a test.</summary>
    public const ulong FurtherCode = 0x18000;

    public const ulong Gdt = 0x5000;
    public const ulong Ldt = 0x5800;
    public const ulong Idt = 0x6000;
    public const ulong Tss = 0x7000;
    public const ulong PageDirectoryPointers = 0x2000;
    public const ulong PageDirectory = 0x3000;
    public const ulong PageTable = 0x4000;

    public const ushort KernelCodeSelector = 0x08;
    public const ushort KernelDataSelector = 0x10;
    public const ushort UserDataSelector = 0x23;
    public const ushort UserCodeSelector = 0x2B;
    public const ushort TssSelector = 0x30;
    public const ushort LdtSelector = 0x40;
    public const ushort AbsentSelector = 0x50;
    public const ushort ConformingSelector = 0x58;
    public const ushort GateSelector = 0x60;
    public const ushort UnaccessedSelector = 0x70;
    public const ushort ExecuteOnlySelector = 0x78;

    /// <summary>Data with a base of its own, in the LDT.</summary>
    public const ushort LocalDataSelector = 0x07;

    public const ulong LocalDataBase = 0xD100;

    /// <summary>The vector that ends a run: its gate is open to CPL 3, its handler halts.</summary>
    public const byte Exit = 0x81;

    /// <summary>A vector that is open to CPL 3.</summary>
    public const byte Open = 0x80;

    private const ulong Root = 0x1000;
    private const ulong Handlers = 0x1A000;
    private const int HandlerSize = 16;
    private const nuint MemorySize = 0x40000;
    private const int MostEvents = 1000;
    private readonly IHypervisor _hypervisor;

    public SystemGuest(IHypervisor hypervisor)
    {
        _hypervisor = hypervisor;
        Memory = hypervisor.AllocateMemory(MemorySize);
        Machine = hypervisor.CreateVirtualMachine(new VirtualMachineOptions());
        Machine.MapMemory(0, GuestMapping.Whole(0, Memory, MemoryFlags.Read | MemoryFlags.Write | MemoryFlags.Execute));
        BuildPageTables();
        BuildDescriptors();
        BuildHandlers();
        Special = InitialRegisters();
    }

    public IMemoryRegion Memory { get; }

    public IVirtualMachine Machine { get; }

    /// <summary>The special registers that the next start loads.</summary>
    public SpecialRegisters Special { get; set; }

    /// <summary>RFLAGS of the next start.</summary>
    public ulong Flags { get; set; } = GeneralRegisters.RflagsReset;

    /// <summary>Where the label of the code that was assembled last is.</summary>
    public ulong At { get; private set; }

    /// <summary>What the handlers saw.</summary>
    public List<MachineEvent> Events { get; } = [];

    /// <summary>Where execution goes on after a fault, instead of ending the test.</summary>
    public ulong? ResumeAt { get; set; }

    /// <summary>Executes code at CPL 0 until it halts, or until a fault.</summary>
    public VmExit RunKernel(Action<Assembler, Mark> code)
    {
        At = Place(KernelCode, code);
        return Start(KernelCode, StackTop);
    }

    /// <summary>Executes code at CPL 3 until it asks for the exit, or until a fault.</summary>
    public VmExit RunUser(Action<Assembler, Mark> code)
    {
        At = Place(UserCode, code);
        UseUserSegments();
        return Start(UserCode, UserStackTop);
    }

    /// <summary>Executes code at CPL 0 until its first exit, of whatever kind.</summary>
    public VmExit StartKernel(Action<Assembler, Mark> code)
    {
        At = Place(KernelCode, code);
        return Enter(KernelCode, StackTop);
    }

    /// <summary>Executes code at CPL 3 until its first exit, of whatever kind.</summary>
    public VmExit StartUser(Action<Assembler, Mark> code, ulong flags)
    {
        At = Place(UserCode, code);
        UseUserSegments();
        Flags |= flags;
        return Enter(UserCode, UserStackTop);
    }

    /// <summary>Notes what the handler of a vector sees, which is at its port.</summary>
    public void Note(byte vector) => Events.Add(ReadEvent(vector));

    /// <summary>Assembles code, and says where its label is.</summary>
    public ulong Place(ulong address, Action<Assembler, Mark> code)
    {
        Assembler assembler = new(64);
        var mark = new Mark(assembler);
        code(assembler, mark);
        using MemoryStream stream = new();
        AssemblerResult result = assembler.Assemble(
            new StreamCodeWriter(stream), address, BlockEncoderOptions.ReturnNewInstructionOffsets);
        Memory.Write((nuint)address, stream.ToArray());
        return mark.IsSet ? result.GetLabelRIP(mark.Label) : address;
    }

    public void Write(ulong address, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(Memory.GetSpan((nuint)address, 8), value);

    public ulong Read(ulong address) => BinaryPrimitives.ReadUInt64LittleEndian(Memory.GetSpan((nuint)address, 8));

    /// <summary>Where the entry of a page is that is mapped by 4 KiB.</summary>
    public static ulong EntryOf(ulong address) => PageTable + ((address >> 12) * 8);

    /// <summary>Replaces a gate of the IDT.</summary>
    public void SetGate(byte vector, int type = 0xE, int level = 0, int ist = 0, bool present = true,
        ushort selector = KernelCodeSelector, ulong? handler = null)
    {
        ulong target = handler ?? (Handlers + ((ulong)vector * HandlerSize));
        ulong gate = Idt + ((ulong)vector * 16);
        Write(gate, (target & 0xFFFF) | ((ulong)selector << 16) | ((ulong)ist << 32) | ((ulong)type << 40)
            | ((ulong)level << 45) | (present ? 1UL << 47 : 0) | ((target & 0xFFFF_0000) << 32));
        Write(gate + 8, target >> 32);
    }

    /// <summary>Ends the test as skipped if this is a processor without a feature; the emulator has them all.</summary>
    public void Require(uint leaf, int register, int bit, string feature)
    {
        using var guest = new SystemGuest(_hypervisor);
        guest.RunKernel((c, _) =>
        {
            c.mov(AssemblerRegisters.eax, leaf);
            c.xor(AssemblerRegisters.ecx, AssemblerRegisters.ecx);
            c.cpuid();
            c.hlt();
        });
        GeneralRegisters result = guest.Machine.GetGeneralRegisters();
        ulong bits = register switch { 0 => result.Rax, 1 => result.Rbx, 2 => result.Rcx, _ => result.Rdx };
        if ((bits >> bit & 1) == 0)
        {
            Assert.That(_hypervisor.Name, Is.Not.EqualTo("emulator"), $"the emulator reports {feature}");
            Assert.Ignore($"this {_hypervisor.Name} does not report {feature}");
        }
    }

    public void Dispose()
    {
        Machine.Dispose();
        Memory.Dispose();
    }

    private static SegmentRegister Segment(ushort selector, ushort attributes) =>
        new() { Selector = selector, Limit = uint.MaxValue, Attributes = attributes };

    private static bool HasErrorCode(byte vector) => vector is 8 or (>= 10 and <= 14) or 17 or 21;

    private static SpecialRegisters InitialRegisters() => new()
    {
        Cs = Segment(KernelCodeSelector, 0xA09B),
        Ss = Segment(KernelDataSelector, 0xC093),
        Ds = Segment(UserDataSelector, 0xC0F3),
        Es = Segment(UserDataSelector, 0xC0F3),
        Tr = new SegmentRegister { Selector = TssSelector, Base = Tss, Limit = 0x67, Attributes = 0x8B },
        Ldtr = new SegmentRegister { Selector = LdtSelector, Base = Ldt, Limit = 0xF, Attributes = 0x82 },
        Gdtr = new DescriptorTableRegister { Base = Gdt, Limit = 0x7F },
        Idtr = new DescriptorTableRegister { Base = Idt, Limit = 0xFFF },
        Cr0 = 0x8005_0033,
        Cr3 = Root,
        Cr4 = 0x620,
        Efer = 0xD01,
    };

    private void UseUserSegments() => Special = Special with
    {
        Cs = Segment(UserCodeSelector, 0xA0FB),
        Ss = Segment(UserDataSelector, 0xC0F3),
    };

    private void SetRegisters(ulong rip, ulong rsp)
    {
        Machine.SetSpecialRegisters(Special);
        Machine.SetGeneralRegisters(new GeneralRegisters { Rip = rip, Rsp = rsp, Rflags = Flags });
    }

    private VmExit Enter(ulong rip, ulong rsp)
    {
        SetRegisters(rip, rsp);
        return Machine.Run();
    }

    private VmExit Start(ulong rip, ulong rsp)
    {
        SetRegisters(rip, rsp);
        while (Events.Count < MostEvents)
        {
            VmExit exit = Machine.Run();
            if (exit.Reason == VmExitReason.EmulationFailure && _hypervisor.Name != "emulator")
            {
                Assert.Ignore($"this {_hypervisor.Name} cannot emulate: {exit}");
            }

            if (exit.Reason != VmExitReason.IoOut || exit.Port > byte.MaxValue)
            {
                return exit;
            }

            MachineEvent seen = ReadEvent((byte)exit.Port);
            Events.Add(seen);
            bool isTrap = seen.Vector is 1 or 3 || seen.Vector >= 32;
            if (!isTrap)
            {
                if (ResumeAt is not { } resume)
                {
                    return exit;
                }

                Write(seen.Frame + (seen.Error is null ? 0UL : 8), resume);
            }
        }

        throw new InvalidOperationException("The guest raises exceptions without end.");
    }

    private MachineEvent ReadEvent(byte vector)
    {
        SpecialRegisters special = Machine.GetSpecialRegisters();
        GeneralRegisters general = Machine.GetGeneralRegisters();
        DebugRegisters debug = Machine.GetDebugRegisters();
        bool hasError = HasErrorCode(vector);
        ulong frame = general.Rsp + (hasError ? 8UL : 0);
        return new MachineEvent
        {
            Vector = vector,
            Error = hasError ? Read(general.Rsp) : null,
            Rip = Read(frame),
            Cs = Read(frame + 8),
            Flags = Read(frame + 16),
            Rsp = Read(frame + 24),
            Ss = Read(frame + 32),
            Frame = general.Rsp,
            HandlerFlags = general.Rflags,
            HandlerCs = special.Cs.Selector,
            HandlerSs = special.Ss.Selector,
            Cr2 = special.Cr2,
            Dr6 = debug.Dr6,
            Dr7 = debug.Dr7,
        };
    }

    private void BuildPageTables()
    {
        const ulong all = 7;
        Write(Root, PageDirectoryPointers | all);
        Write(PageDirectoryPointers, PageDirectory | all);
        Write(PageDirectory, PageTable | all);
        for (ulong address = 0; address < 0x20_0000; address += 0x1000)
        {
            bool isUser = address is UserCode or UserData or UserStackTop - 0x1000;
            Write(EntryOf(address), address | (isUser ? all : 3));
        }
    }

    private void BuildDescriptors()
    {
        Write(Gdt + KernelCodeSelector, 0x00AF_9B00_0000_FFFF);
        Write(Gdt + KernelDataSelector, 0x00CF_9300_0000_FFFF);
        Write(Gdt + 0x18, 0x00CF_FB00_0000_FFFF);
        Write(Gdt + 0x20, 0x00CF_F300_0000_FFFF);
        Write(Gdt + 0x28, 0x00AF_FB00_0000_FFFF);
        Write(Gdt + TssSelector, 0x0000_8900_0000_0067 | (Tss << 16));
        Write(Gdt + LdtSelector, 0x0000_8200_0000_000F | (Ldt << 16));
        Write(Gdt + AbsentSelector, 0x00CF_7300_0000_FFFF);
        Write(Gdt + ConformingSelector, 0x00AF_9F00_0000_FFFF);
        Write(Gdt + UnaccessedSelector, 0x00CF_9200_0000_FFFF);
        Write(Gdt + ExecuteOnlySelector, 0x00AF_9900_0000_FFFF);
        Write(Gdt + GateSelector, FurtherCode & 0xFFFF | (ulong)KernelCodeSelector << 16 | 0xECUL << 40 | (FurtherCode & 0xFFFF_0000) << 32);
        Write(Ldt, 0x0040_F300_0000_0FFF | (LocalDataBase << 16));
        Write(Tss + 4, KernelStackTop);
        Write(Tss + 0x24, IstStackTop);
        Memory.Write((nuint)Tss + 0x66, [0x68, 0]);
    }

    private void BuildHandlers()
    {
        for (int vector = 0; vector < 256; vector++)
        {
            SetGate((byte)vector, level: vector is Open or Exit or 3 ? 3 : 0);
            Place(Handlers + (ulong)(vector * HandlerSize), (c, _) =>
            {
                if (vector == Exit)
                {
                    c.hlt();
                    return;
                }

                c.@out((byte)vector, AssemblerRegisters.al);
                if (HasErrorCode((byte)vector))
                {
                    c.lea(AssemblerRegisters.rsp, AssemblerRegisters.__[AssemblerRegisters.rsp + 8]);
                }

                c.iretq();
            });
        }
    }

    /// <summary>The place in a test's code that its expectations are about.</summary>
    internal sealed class Mark(Assembler assembler)
    {
        private Label _label = assembler.CreateLabel();

        public bool IsSet { get; private set; }

        public Label Label => _label;

        /// <summary>Marks the instruction that follows.</summary>
        public void Here()
        {
            IsSet = true;
            assembler.Label(ref _label);
        }
    }
}
