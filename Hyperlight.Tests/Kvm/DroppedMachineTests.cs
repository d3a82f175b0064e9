using System.Runtime.CompilerServices;
using Hyperlight.Abstractions;
using Hyperlight.Kvm;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// What was dropped without being disposed is given back by finalizers, in an order that nobody chooses: the kernel must
/// see the right one. Descriptors, mappings and slots are counted exactly, on a scripted kernel.
/// </summary>
internal sealed class DroppedMachineTests
{
    private const string FilePath = "/file";
    private const ulong MemoryAddress = 0x1000;
    private const ulong FileAddress = 0x40_0000;

    private static readonly Dictionary<string, Action<KvmHypervisor>> Dropped = new()
    {
        ["a machine"] = static kvm => kvm.CreateVirtualMachine(new VirtualMachineOptions()),
        ["a machine with memory and a file"] = static kvm => NewMachine(kvm),
        ["a machine that ran"] = static kvm => NewMachine(kvm).Run(),
        ["a machine whose memory was disposed"] = static kvm => NewMachine(kvm, disposesMemory: true).Run(),
        ["memory"] = static kvm => kvm.AllocateMemory(GuestPage.Size),
        ["a prepared file"] = static kvm => kvm.PrepareFileMapping(FilePath, FileAddress),
    };

    private static IEnumerable<string> Kinds => Dropped.Keys;

    [TestCaseSource(nameof(Kinds))]
    public void Is_given_back_in_the_kernels_order(string kind)
    {
        FakeKvmKernel kernel = new() { Files = { [FilePath] = new FakeFile(new byte[5000]) } };
        AccountingKernel account = new(kernel);
        Drop(account, Dropped[kind]);

        for (int i = 0; i < 10 && (account.Descriptors, account.Mappings) != (0, 0); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.Multiple(() =>
        {
            Assert.That((account.Descriptors, account.Mappings, account.Slots), Is.EqualTo((0, 0, 0)));
            Assert.That(kernel.Violations, Is.Empty);
        });
    }

    /// <summary>The driver is dropped too, and with it the device. In a method of its own, whose variables are gone with it.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Drop(AccountingKernel kernel, Action<KvmHypervisor> create)
    {
        KvmHypervisor kvm = new(kernel);
        for (int i = 0; i < 5; i++)
        {
            create(kvm);
        }
    }

    private static IVirtualMachine NewMachine(KvmHypervisor kvm, bool disposesMemory = false)
    {
        IVirtualMachine machine = kvm.CreateVirtualMachine(new VirtualMachineOptions());
        IMemoryRegion memory = kvm.AllocateMemory(GuestPage.Size);
        machine.MapMemory(0, GuestMapping.Whole(MemoryAddress, memory, MemoryFlags.Read | MemoryFlags.Write));
        IPreparedMapping file = kvm.PrepareFileMapping(FilePath, FileAddress);
        machine.MapMemory(1, file.ToGuestMapping());
        IMemoryRegion view = file.Consume();
        if (disposesMemory)
        {
            memory.Dispose();
            view.Dispose();
        }

        return machine;
    }
}
