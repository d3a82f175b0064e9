using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Tests.Integration;

namespace Hyperlight.Tests.Machine;

/// <summary>A test of the system part of a machine: the same code and the same expectations on every usable driver.</summary>
internal abstract class MachineTest(TestTarget target)
{
    protected const byte Debug = 1;
    protected const byte Breakpoint = 3;
    protected const byte InvalidOpcode = 6;
    protected const byte DoubleFault = 8;
    protected const byte InvalidTss = 10;
    protected const byte NotPresent = 11;
    protected const byte StackFault = 12;
    protected const byte GeneralProtection = 13;
    protected const byte PageFault = 14;
    protected const ulong TrapFlag = 0x100;
    protected const ulong InterruptFlag = 0x200;
    protected const ulong NestedTaskFlag = 0x4000;
    protected const ulong ResumeFlag = 0x1_0000;
    protected const ulong AlignmentFlag = 0x4_0000;
    protected const ulong IoPrivilege3 = 0x3000;

    protected SystemGuest Guest { get; private set; } = null!;

    protected bool InjectsInterrupts => target.Hypervisor.InjectsInterrupts;

    protected string Driver => target.Hypervisor.Name;

    protected bool IsEmulator => Driver == "emulator";

    /// <summary>Whether the emulator executes the instructions: it is the driver, or the processor of a simulated hypervisor.</summary>
    protected bool IsEmulatedProcessor { get; } = target.IsSimulated || target.Hypervisor.Name == "emulator";

    /// <summary>KVM runs on a processor that QEMU emulates. What it does differently is said where it matters.</summary>
    protected bool IsOnQemu { get; } = QemuProcessor.Runs(target.Hypervisor);

    /// <summary>Whether a processor of AMD executes the code, rather than the emulator.</summary>
    protected bool IsOnAmd { get; } = target.Hypervisor is KvmHypervisor { ProcessorVendor: "AuthenticAMD" };

    protected MachineEvent Only
    {
        get
        {
            Assert.That(Guest.Events, Has.Count.EqualTo(1), "events");
            return Guest.Events[0];
        }
    }

    [SetUp]
    public void Create()
    {
        if (WhyNoReference(target.Hypervisor) is { } reason)
        {
            Assert.Ignore(reason);
        }

        Guest = new SystemGuest(target.Hypervisor);
    }

    [TearDown]
    public void Destroy() => Guest?.Dispose();

    /// <summary>
    /// Why a hypervisor does not show what a processor does with privileged code; <see langword="null"/> if it does. A KVM
    /// without hardware virtualization is found by what it cannot execute.
    /// </summary>
    internal static string? WhyNoReference(IHypervisor hypervisor) =>
        hypervisor is KvmHypervisor { UnsupportedPrivilegedInstructions: { Count: > 0 } unsupported }
            ? "this KVM has no hardware virtualization and emulates privileged code, in which it differs from a processor; it cannot "
                + $"execute {string.Join(", ", unsupported)} at CPL 0"
            : null;

    /// <summary>Ends the test as skipped where KVM's processor is QEMU's and does not check what the test is about.</summary>
    protected void SkipOnQemu(string reason)
    {
        if (IsOnQemu)
        {
            Assert.Ignore($"this KVM's processor is emulated by QEMU, which {reason}");
        }
    }

    /// <summary>The code ended with a fault that names a vector of the IDT.</summary>
    protected void AssertGateFault(byte vector, byte gate, bool isExternal)
    {
        // QEMU up to version 7 gives the offset in the table for the index, and no EXT.
        ulong error = IsOnQemu ? (gate * 16UL) + 2 : (gate * 8UL) + 2 + (isExternal ? 1UL : 0);
        Assert.That((Only.Vector, Only.Error), Is.EqualTo((vector, (ulong?)error)));
        Assert.That(Only.Rip, Is.EqualTo(Guest.At).Or.EqualTo(IsOnQemu ? Guest.At + 2 : Guest.At));
    }

    /// <summary>The code ended with a fault of the marked instruction.</summary>
    protected void AssertFault(byte vector, ulong? error = null)
    {
        MachineEvent seen = Only;
        Assert.That((seen.Vector, seen.Error, seen.Rip), Is.EqualTo((vector, error, Guest.At)));
    }
}
