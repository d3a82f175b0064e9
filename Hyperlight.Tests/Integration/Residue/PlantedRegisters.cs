using System.Buffers.Binary;
using System.Reflection;
using Hyperlight.Abstractions;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Hyperlight.Tests.Integration.Residue;

/// <summary>
/// Code with which a guest changes its registers. There is an instruction for each register of the structures that the
/// getters of <see cref="IVirtualMachine"/> return, found by the register's name; a register whose name is not known here
/// fails the tests.
/// </summary>
internal static class PlantedRegisters
{
    private const ulong Value = 0x0000_5A17_AB1E_D000;
    private const uint AllFlags = 0x25_4ED5;
    private const uint Efer = 0xC000_0080;
    private const int XsaveImage = 0x1000;
    private const int XsaveHeader = 512;
    private const int XsaveHeaderEnd = 576;
    private const uint ControlAndStatus = 0x3F80;

    /// <summary>Which bits of a register can be inverted while the guest goes on; of the others, all are planted.</summary>
    private static readonly Dictionary<string, ulong> Invertible = new()
    {
        [nameof(SpecialRegisters.Cr0)] = 0x4_0002,
        [nameof(SpecialRegisters.Cr3)] = 0x18,
        [nameof(SpecialRegisters.Cr4)] = 0x88,
        [nameof(SpecialRegisters.Efer)] = 1,
    };

    private static readonly Dictionary<string, ulong> Values = new()
    {
        [nameof(SpecialRegisters.Cr8)] = 9,
        [nameof(DebugRegisters.Dr6)] = 0xFFFF_0FF1,
        [nameof(DebugRegisters.Dr7)] = 0x402,
    };

    /// <summary>Registers that no guest can change; each with the reason.</summary>
    public static IReadOnlyDictionary<string, string> Unchangeable { get; } = new Dictionary<string, string>
    {
        ["SpecialRegisters.ApicBase"] = "the policy denies the register to guests",
        ["SpecialRegisters.Cs.Base"] = "64-bit mode has no base of CS, and processors need not load it",
        ["SpecialRegisters.Ds.Base"] = "64-bit mode has no base of DS, and processors need not load it",
        ["SpecialRegisters.Es.Base"] = "64-bit mode has no base of ES, and processors need not load it",
        ["SpecialRegisters.Ss.Base"] = "64-bit mode has no base of SS, and processors need not load it",
        ["FpuRegisters.LastOpcode"] = "processors need not keep it unless an exception is unmasked",
    };

    /// <summary>The code for each structure, and for the extended state, which needs an instruction that not all processors have.</summary>
    public static IEnumerable<GuestCode> All =>
    [
        .. MachineState.Getters.Where(static m => m.ReturnType.IsValueType && !m.ReturnType.IsPrimitive && m.ReturnType != typeof(void))
            .Select(static m => CodeFor(m.ReturnType)),
        new("extended state and XCR0", PlantXsave, XsaveData()),
    ];

    private static GuestCode CodeFor(Type structure)
    {
        if (structure == typeof(FpuRegisters))
        {
            return new GuestCode(structure.Name, static c => { c.mov(rax, GuestCode.DataAddress); c.fxrstor64(__[rax]); GuestCode.Exit(c); }, FxsaveImage());
        }

        return new GuestCode(structure.Name, c =>
        {
            // The flags are as they are after all else; a stack pointer that cannot be used comes last.
            foreach (PropertyInfo property in MachineState.Properties(structure).OrderBy(static p => p.Name switch { "Rflags" => 1, "Rdx" => 2, "Rsp" => 3, _ => 0 }))
            {
                Plant(c, property);
            }

            c.@out(dx, eax);
        });
    }

    private static void Plant(Assembler c, PropertyInfo property)
    {
        string name = property.Name;
        if (property.PropertyType == typeof(SegmentRegister))
        {
            PlantSegment(c, name);
        }
        else if (property.PropertyType == typeof(DescriptorTableRegister))
        {
            PlantTable(c, name);
        }
        else if (name == nameof(GeneralRegisters.Rflags))
        {
            GuestCode.SetFlags(c, AllFlags);
        }
        else if (name == nameof(SpecialRegisters.Efer))
        {
            c.mov(ecx, Efer);
            c.rdmsr();
            c.xor(eax, (uint)Invertible[name]);
            c.wrmsr();
        }
        else if (name is not (nameof(GeneralRegisters.Rip) or nameof(SpecialRegisters.ApicBase)))
        {
            // RIP is that of this code.
            PlantNumber(c, name, Enum.Parse<Register>(name, ignoreCase: true));
        }

        c.mov(edx, GuestCode.UnknownPort);
    }

    private static void PlantNumber(Assembler c, string name, Register register)
    {
        if (register.IsGPR64())
        {
            c.AddInstruction(Instruction.Create(Code.Mov_r64_imm64, register, register == Register.RSP ? GuestCode.Missing : Value));
            return;
        }

        (Code get, Code set) = register.IsCR() ? (Code.Mov_r64_cr, Code.Mov_cr_r64) : (Code.Mov_r64_dr, Code.Mov_dr_r64);
        if (Invertible.TryGetValue(name, out ulong bits))
        {
            c.AddInstruction(Instruction.Create(get, Register.RAX, register));
            c.xor(rax, (int)bits);
        }
        else
        {
            c.mov(rax, Values.GetValueOrDefault(name, Value));
        }

        c.AddInstruction(Instruction.Create(set, register, Register.RAX));
    }

    /// <summary>Loads the segment from a table of one descriptor, of the kind that the register takes, with a base and a limit.</summary>
    private static void PlantSegment(Assembler c, string name)
    {
        const ushort selector = 32;

        // Present. 64-bit code, conforming; data, writable, of 4 GiB at most; a local table; a task state.
        (byte type, byte flags) = name switch { "Cs" => ((byte)0x9E, (byte)0x20), "Ldtr" => ((byte)0x82, (byte)0x10), "Tr" => ((byte)0x89, (byte)0x10), _ => ((byte)0x92, (byte)0x40) };
        const uint baseAddress = 0x0017_A000;
        const uint limit = 0x1234;
        ulong descriptor = limit | ((ulong)(baseAddress & 0xFF_FFFF) << 16) | ((ulong)(type | 1) << 40) | ((ulong)flags << 48);
        if (name is "Tr" or "Ldtr")
        {
            descriptor &= ~((ulong)1 << 40) | ((ulong)(type & 1) << 40);
        }

        // Behind the red zone, from a null descriptor on. Those of the system have a second half.
        c.mov(rax, descriptor);
        c.mov(__[rsp - 256 + selector], rax);
        c.mov(rax, 0UL);
        c.mov(__[rsp - 256 + selector + 8], rax);
        c.lea(rax, __[rsp - 256]);
        LoadTable(c, selector + 15, isInterruptTable: false);
        c.mov(eax, selector);
        switch (name)
        {
            case "Cs":
                Label next = c.CreateLabel();
                c.push(selector);
                c.lea(rax, __[next]);
                c.push(rax);
                c.AddInstruction(Instruction.Create(Code.Retfq));
                c.Label(ref next);
                break;
            case "Tr":
                c.ltr(ax);
                break;
            case "Ldtr":
                c.lldt(ax);
                break;
            default:
                c.AddInstruction(Instruction.Create(Code.Mov_Sreg_rm16, Enum.Parse<Register>(name, ignoreCase: true), Register.AX));
                break;
        }
    }

    private static void PlantTable(Assembler c, string name)
    {
        c.mov(rax, Value);
        LoadTable(c, 0x7F, name switch
        {
            nameof(SpecialRegisters.Idtr) => true,
            nameof(SpecialRegisters.Gdtr) => false,
            _ => throw new NotSupportedException($"{name} is of a kind that is not known here"),
        });
    }

    /// <summary>From the address in RAX.</summary>
    private static void LoadTable(Assembler c, ushort limit, bool isInterruptTable)
    {
        c.mov(__[rsp - 160], rax);
        c.mov(__word_ptr[rsp - 162], limit);
        if (isInterruptTable)
        {
            c.lidt(__[rsp - 162]);
        }
        else
        {
            c.lgdt(__[rsp - 162]);
        }
    }

    /// <summary>Every byte of the legacy image is something.</summary>
    private static byte[] FxsaveImage()
    {
        byte[] image = new byte[512];
        image.AsSpan().Fill(0x35);
        BinaryPrimitives.WriteUInt16LittleEndian(image, 0x27F);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(8), Value);
        BinaryPrimitives.WriteUInt64LittleEndian(image.AsSpan(16), Value);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(24), ControlAndStatus);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(28), 0xFFFF);
        return image;
    }

    private static byte[] XsaveData()
    {
        byte[] data = new byte[GuestCode.RegionSize - 0x2000];
        data.AsSpan(XsaveImage).Fill(1);
        FxsaveImage().CopyTo(data.AsSpan(XsaveImage));
        data.AsSpan(XsaveImage + XsaveHeader, XsaveHeaderEnd - XsaveHeader).Clear();
        return data;
    }

    /// <summary>Enables all the state that CPUID reports, and loads it. Nothing on a processor without XSAVE.</summary>
    private static void PlantXsave(Assembler c)
    {
        Label none = c.CreateLabel();
        c.mov(eax, 1);
        c.cpuid();
        c.bt(ecx, 26);
        c.jnc(none);
        c.mov(rax, cr4);
        c.or(eax, 1 << 18);
        c.mov(cr4, rax);
        c.mov(eax, 0xD);
        c.xor(ecx, ecx);
        c.cpuid();
        c.xor(ecx, ecx);
        c.xsetbv();
        c.mov(rsi, GuestCode.DataAddress + XsaveImage);
        c.mov(__[rsi + XsaveHeader], eax);
        c.mov(__[rsi + XsaveHeader + 4], edx);
        c.xrstor64(__[rsi]);
        c.Label(ref none);
        GuestCode.Exit(c);
    }
}
