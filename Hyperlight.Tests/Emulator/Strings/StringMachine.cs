using Hyperlight.Abstractions;
using Hyperlight.Emulator;
using Hyperlight.Tests.Emulator.Differential;
using Hyperlight.Tests.Machine;

namespace Hyperlight.Tests.Emulator.Strings;

/// <summary>A machine that executes cases, and tells everything that can be seen of them.</summary>
internal sealed class StringMachine : IDisposable
{
    private const int MostStops = 100;

    private readonly SystemGuest _guest;
    private readonly byte[] _start;

    /// <summary>Prepares a machine.</summary>
    /// <param name="joins">Whether it executes many elements at once.</param>
    public StringMachine(bool joins)
    {
        _guest = new SystemGuest(new EmulatorHypervisor(
            new EmulatorOptions { TranslateHotCode = false, JoinsStringElements = joins }));

        // The second 2 MiB are the first ones again.
        _guest.Write(SystemGuest.PageDirectory + 8, SystemGuest.PageTable | 7);
        _start = new byte[(int)_guest.Memory.Size];
        _guest.Memory.Read(0, _start);
    }

    /// <summary>The guest's memory after a case.</summary>
    public byte[] Memory { get; } = new byte[0x40000];

    /// <summary>The same, with the pages set to zero that count as written.</summary>
    public byte[] Unwritten { get; } = new byte[0x40000];

    /// <summary>Executes a case up to the halt, a fault or an access to a device.</summary>
    /// <returns>Each stop: why, the registers and the number of instructions.</returns>
    public List<string> Run(StringCase value)
    {
        Prepare(value);
        List<string> stops = [];
        var counter = (IInstructionCounter)_guest.Machine;
        long before = counter.InstructionCount;
        VmExit exit;
        do
        {
            counter.InstructionBudget = value.Budget;
            exit = _guest.Machine.Run();
            stops.Add($"{exit}; {_guest.Machine.GetGeneralRegisters()}; CR2 {_guest.Machine.GetSpecialRegisters().Cr2:X}; "
                + $"{counter.InstructionCount - before} instructions");
        }
        while (exit.Reason == VmExitReason.InstructionBudgetExhausted && stops.Count < MostStops);

        _guest.Memory.Read(0, Memory);
        ((IWriteTracker)_guest.Machine).ClearWritten(0);
        _guest.Memory.Read(0, Unwritten);
        return stops;
    }

    public void Dispose() => _guest.Dispose();

    private void Prepare(StringCase value)
    {
        _guest.Memory.Write(0, _start);
        FillData(value);
        for (int i = 0; i < StringCase.WindowPages; i++)
        {
            _guest.Write(SystemGuest.EntryOf(StringCase.Window + ((ulong)i << 12)), value.Entries[i]);
        }

        _guest.Memory.Write((nuint)SystemGuest.KernelCode, value.Encode());
        _guest.Machine.SetSpecialRegisters(_guest.Special with
        {
            Fs = _guest.Special.Ds with { Base = value.SourceBase },
        });
        _guest.Machine.SetGeneralRegisters(new GeneralRegisters
        {
            Rip = SystemGuest.KernelCode,
            Rsp = SystemGuest.StackTop,
            Rflags = GeneralRegisters.RflagsReset | (value.Backwards ? StringCase.DirectionFlag : 0),
            Rax = value.Rax,
            Rcx = value.Rcx,
            Rsi = value.Rsi,
            Rdi = value.Rdi,
        });
    }

    private void FillData(StringCase value)
    {
        var random = new RandomSource(value.DataSeed);
        Span<byte> data = _guest.Memory.GetSpan((nuint)StringCase.Physical, StringCase.WindowPages * GuestPage.Size);
        data.Clear();
        if (value.Rarity == 1)
        {
            random.Fill(data);
            return;
        }

        for (int i = random.Below(value.Rarity); i < data.Length; i += random.Between(1, 2 * value.Rarity))
        {
            data[i] = 1;
        }
    }
}
