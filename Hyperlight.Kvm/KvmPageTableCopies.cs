using Hyperlight.Abstractions;

namespace Hyperlight.Kvm;

/// <summary>
/// Finds out whether this KVM uses copies of the guest's page tables, so that what the host writes to them has no effect. It
/// does on a processor without nested paging, or where nested paging is switched off.
/// </summary>
internal static class KvmPageTableCopies
{
    private const ulong Address = 0x20_0000;
    private const int FormerTable = KvmProbeMachine.Free;
    private const int FormerPage = KvmProbeMachine.Free + 0x1000;
    private const int LatterTable = KvmProbeMachine.Free + 0x2000;
    private const int LatterPage = KvmProbeMachine.Free + 0x3000;
    private const byte OutDxAl = 0xEE;
    private const byte Hlt = 0xF4;

    /// <summary>Executes code at an address, maps other code there, and tries which is executed.</summary>
    /// <exception cref="HypervisorException">KVM failed.</exception>
    public static bool AreUsed(KvmProbeMachine machine)
    {
        Place(machine, FormerTable, FormerPage, OutDxAl);
        Place(machine, LatterTable, LatterPage, Hlt);
        machine.WriteEntry(KvmProbeMachine.SecondEntry, FormerTable | KvmProbeMachine.PresentWritable);
        machine.Run(Address);
        machine.WriteEntry(KvmProbeMachine.SecondEntry, LatterTable | KvmProbeMachine.PresentWritable);
        return machine.Run(Address) != VmExitReason.Halt;
    }

    private static void Place(KvmProbeMachine machine, int table, int page, byte code)
    {
        machine.WriteEntry(table, (ulong)page | KvmProbeMachine.PresentWritable);
        machine.Write(page, code);
    }
}
