using System.Buffers.Binary;
using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Emulator.Compilation;
using Hyperlight.Tests.Kvm;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;
using Assembler = Iced.Intel.Assembler;

namespace Hyperlight.Tests.Emulator.MachineCode;

/// <summary>
/// A guest that calls a function again and again and adds up what it returns. Each part becomes a region of
/// its own, because it is compiled when it is executed for the first time; so they go on in each other.
/// </summary>
internal sealed class LinkedGuest : IDisposable
{
    /// <summary>The function, in another page than the loop.</summary>
    public const uint Function = 0x9000;

    /// <summary>The same memory at another address: the second large page leads to the first.</summary>
    public const uint Alias = 0x20_0000;

    /// <summary>The entry of the second large page.</summary>
    public const uint AliasEntry = 0x3008;

    /// <summary>How often the function is called before the guest does something else, and afterwards.</summary>
    public const int Calls = 50;

    private const ulong PresentWritable = 3;
    private const ulong LargePage = 0x80;

    private readonly LongModeGuest _guest;

    /// <param name="isCompiled">Whether code is compiled, or everything is interpreted.</param>
    /// <param name="function">Where the function is called.</param>
    /// <param name="between">What happens after half of the calls.</param>
    /// <param name="body">The function, without its return; otherwise it returns 1 in EAX.</param>
    /// <param name="isDirect">Whether the calls name the function; otherwise a register does.</param>
    public LinkedGuest(
        bool isCompiled, uint function, Action<Assembler> between, Action<Assembler>? body = null, bool isDirect = false)
    {
        var options = new EmulatorOptions
        {
            TranslateHotCode = isCompiled,
            HotThreshold = 1,
            Tier = CodeTier.Machine,
            VerifiesEmittedCode = true,
        };
        _guest = new LongModeGuest(new EmulatorHypervisor(options), c =>
        {
            EmitCalls(c, function, isDirect);
            between(c);
            EmitCalls(c, function, isDirect);
            c.hlt();
        });
        uint offset = function % Alias;
        _guest.Memory.Write(offset, Assemble(function, c =>
        {
            (body ?? (x => x.mov(eax, 1)))(c);
            c.ret();
        }));
        WriteEntry(AliasEntry, LargePage | PresentWritable);
    }

    public EmulatorVirtualMachine Machine => (EmulatorVirtualMachine)_guest.Machine;

    public IMemoryRegion Memory => _guest.Memory;

    /// <summary>The sum of what the function returned.</summary>
    public ulong Sum => Machine.GetGeneralRegisters().Rbx;

    /// <summary>Translates instructions for an address.</summary>
    public static byte[] Assemble(ulong address, Action<Assembler> code)
    {
        Assembler assembler = new(64);
        code(assembler);
        using MemoryStream stream = new();
        assembler.Assemble(new StreamCodeWriter(stream), address);
        return stream.ToArray();
    }

    public void Restart() => _guest.Restart();

    /// <summary>Runs the guest to its end, and says everything that another tier has to agree with.</summary>
    public (VmExit Exit, long Instructions, GeneralRegisters Registers) Run() =>
        (Machine.Run(), Machine.InstructionCount, Machine.GetGeneralRegisters());

    /// <summary>
    /// Runs the guest to its end, puts everything back and runs it again: then all of its code is compiled, and goes on in each
    /// other until something changes.
    /// </summary>
    public (VmExit Exit, long Instructions, GeneralRegisters Registers)[] RunTwice()
    {
        byte[] memory = new byte[(int)_guest.Memory.Size];
        _guest.Memory.Read(0, memory);
        SpecialRegisters special = Machine.GetSpecialRegisters();
        FpuRegisters fpu = Machine.GetFpuRegisters();
        DebugRegisters debug = Machine.GetDebugRegisters();
        (VmExit, long, GeneralRegisters) first = Run();
        _guest.Memory.Write(0, memory);
        Machine.SetSpecialRegisters(special);
        Machine.SetFpuRegisters(fpu);
        Machine.SetDebugRegisters(debug);
        Restart();
        return [first, Run()];
    }

    public void WriteEntry(uint address, ulong value) =>
        BinaryPrimitives.WriteUInt64LittleEndian(_guest.Memory.GetSpan(address, sizeof(ulong)), value);

    public void Dispose() => _guest.Dispose();

    private static void EmitCalls(Assembler c, uint function, bool isDirect)
    {
        Label again = c.CreateLabel();
        c.mov(edi, function);
        c.mov(ebp, Calls);
        c.Label(ref again);
        if (isDirect)
        {
            c.call(function);
        }
        else
        {
            c.call(rdi);
        }

        c.add(rbx, rax);
        c.dec(ebp);
        c.jne(again);
    }
}
