using Hyperlight.Abstractions;

namespace Hyperlight.Tests.Abstractions;

/// <summary>A bit of CPUID that guests are not shown, wherever they run.</summary>
/// <param name="Name">The feature.</param>
/// <param name="Leaf">EAX.</param>
/// <param name="Subleaf">ECX.</param>
/// <param name="Register">0 for EAX to 3 for EDX.</param>
/// <param name="Bit">The bit.</param>
internal sealed record HiddenFeature(string Name, uint Leaf, uint Subleaf, int Register, int Bit)
{
    private const int Eax = 0;
    private const int Ebx = 1;
    private const int Ecx = 2;
    private const int Edx = 3;

    /// <summary>The features, each with its reason to be hidden.</summary>
    public static IReadOnlyList<HiddenFeature> All { get; } =
    [
        // Nested virtualization.
        new("VMX", 1, 0, Ecx, 5),
        new("SMX", 1, 0, Ecx, 6),
        new("SVM", 0x8000_0001, 0, Ecx, 2),
        new("SKINIT", 0x8000_0001, 0, Ecx, 12),
        new("SVM revision", 0x8000_000A, 0, Eax, 0),
        new("nested paging", 0x8000_000A, 0, Edx, 0),

        // There is no interrupt controller.
        new("x2APIC", 1, 0, Ecx, 21),
        new("APIC", 1, 0, Edx, 9),
        new("TSC deadline timer", 1, 0, Ecx, 24),
        new("extended APIC space", 0x8000_0001, 0, Ecx, 3),

        // Control-flow enforcement: registers and XSAVE components of its own.
        new("CET shadow stacks", 7, 0, Ecx, 7),
        new("CET indirect branch tracking", 7, 0, Edx, 20),
        new("CET supervisor shadow stacks", 7, 1, Edx, 18),
        new("CET_U component", 0xD, 1, Ecx, 11),
        new("CET_S component", 0xD, 1, Ecx, 12),
        new("XSAVES", 0xD, 1, Eax, 3),

        // Registers that guests are denied.
        new("machine-check exception", 1, 0, Edx, 7),
        new("machine-check architecture", 1, 0, Edx, 14),
        new("MTRR", 1, 0, Edx, 12),
        new("debug store", 1, 0, Edx, 21),
        new("performance capabilities", 1, 0, Ecx, 15),
        new("performance counters", 0xA, 0, Eax, 0),
        new("performance counters of AMD", 0x8000_0001, 0, Ecx, 23),
        new("instruction-based sampling", 0x8000_0001, 0, Ecx, 10),
        new("TSC adjustment", 7, 0, Ebx, 1),
        new("processor trace", 7, 0, Ebx, 25),
        new("last branch records", 7, 0, Edx, 19),
        new("speculation control", 7, 0, Edx, 26),
        new("SSBD", 7, 0, Edx, 31),
        new("architectural capabilities", 7, 0, Edx, 29),
        new("UMWAIT", 7, 0, Ecx, 5),
        new("supervisor protection keys", 7, 0, Ecx, 31),
        new("ENQCMD", 7, 0, Ecx, 29),
        new("user interrupts", 7, 0, Edx, 5),
        new("user access to registers", 7, 1, Edx, 15),
        new("FRED", 7, 1, Eax, 17),
        new("OS-visible workaround", 0x8000_0001, 0, Ecx, 9),
        new("lightweight profiling", 0x8000_0001, 0, Ecx, 15),

        // What needs an operating system or the host's help.
        new("MONITOR", 1, 0, Ecx, 3),
        new("MONITORX", 0x8000_0001, 0, Ecx, 29),
        new("PCID", 1, 0, Ecx, 17),
        new("INVPCID", 7, 0, Ebx, 10),
        new("57-bit addresses", 7, 0, Ecx, 16),
        new("linear address masking", 7, 1, Eax, 26),
        new("SGX", 7, 0, Ebx, 2),
        new("key locker", 7, 0, Ecx, 23),
        new("memory encryption", 0x8000_001F, 0, Eax, 1),
        new("RDPRU", 0x8000_0008, 0, Ebx, 4),

        // Where the host's processor is.
        new("threads", 1, 0, Edx, 28),
        new("APIC id", 1, 0, Ebx, 24),
        new("topology", 0xB, 0, Edx, 0),

        // Paravirtual features of KVM.
        new("KVM clock", 0x4000_0001, 0, Eax, 0),
        new("KVM asynchronous page faults", 0x4000_0001, 0, Eax, 4),
        new("KVM steal time", 0x4000_0001, 0, Eax, 5),
    ];

    /// <summary>Whether the answer of the feature's leaf shows it.</summary>
    public bool IsIn(CpuidRegisters answer) =>
        ((Register switch { Eax => answer.Eax, Ebx => answer.Ebx, Ecx => answer.Ecx, _ => answer.Edx }) >> Bit & 1) != 0;

    public override string ToString() => Name;
}
