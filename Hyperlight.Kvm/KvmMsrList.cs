using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// The model-specific registers of a host's vCPUs, which are all alike: what was found out about one vCPU holds for the
/// others. Safe to use from any thread.
/// </summary>
/// <remarks>
/// KVM_GET_MSR_INDEX_LIST names what a host should save, not all that a guest can write: it lacks the memory-type-range
/// registers and the machine-check banks, for example. So the registers are found by reading and writing them.
/// </remarks>
internal sealed unsafe class KvmMsrList
{
    private const int FirstGuess = 256;
    private const int MostIndices = 8192;

    /// <summary>Of Intel and others; KVM's own; of AMD, in two ranges.</summary>
    private static readonly (uint First, uint Last)[] PlausibleRanges =
        [(0, 0x1FFF), (0x4B56_4D00, 0x4B56_4DFF), (0xC000_0000, 0xC000_1FFF), (0xC001_0000, 0xC001_1FFF)];

    private readonly uint[] _listed;
    private uint[]? _writable;
    private Answer? _lastAnswer;

    private KvmMsrList(uint[] listed) => _listed = listed;

    /// <summary>Asks the device.</summary>
    /// <returns>0 or an errno.</returns>
    public static int Read(FileDescriptorHandle device, out KvmMsrList? list)
    {
        list = null;
        for (int count = FirstGuess; count <= MostIndices;)
        {
            uint[] buffer = new uint[1 + count];
            buffer[0] = (uint)count;
            int result;
            // SAFETY: the first word says how many indices there is room for, and the kernel writes no more.
            fixed (uint* pointer = buffer)
            {
                result = device.Ioctl(KvmIoctls.KVM_GET_MSR_INDEX_LIST, pointer);
            }

            if (result >= 0)
            {
                list = new KvmMsrList(buffer[1..(1 + (int)Math.Min(buffer[0], (uint)count))]);
                return 0;
            }

            if (result != -Errno.E2BIG)
            {
                return -result;
            }

            // Some kernels say how many there are, others only that there are more.
            count = Math.Max((int)Math.Min(buffer[0], MostIndices), 2 * count);
        }

        return Errno.E2BIG;
    }

    /// <summary>
    /// Of some registers, those that a vCPU has, in the same order.
    /// </summary>
    /// <param name="vcpu">The vCPU to ask, if it is not known yet.</param>
    /// <param name="registers">The registers.</param>
    public ReadOnlyMemory<uint> Existing(KvmVcpu vcpu, IReadOnlyList<uint> registers)
    {
        Answer? last = _lastAnswer;
        if (last is null || !ReferenceEquals(last.Asked, registers))
        {
            _lastAnswer = last = new Answer(registers, [.. registers.Where(vcpu.HasMsr)]);
        }

        return last.Existing;
    }

    /// <summary>All registers that a vCPU gives and takes. Finding them takes tens of thousands of requests, once.</summary>
    public ReadOnlyMemory<uint> Writable(KvmVcpu vcpu) =>
        _writable ??= [.. _listed.Concat(Plausible).Distinct().Where(IsGuestState).Where(vcpu.TakesMsr).Order()];

    /// <summary>Every index at which processors and KVM have registers.</summary>
    private static IEnumerable<uint> Plausible => PlausibleRanges.SelectMany(
        static range => Enumerable.Range(0, (int)(range.Last - range.First) + 1).Select(i => range.First + (uint)i));

    /// <summary>What a guest cannot change, or what is among the special registers, or changes by itself.</summary>
    private static bool IsGuestState(uint index) => index switch
    {
        KvmMsrs.MSR_IA32_TSC or KvmMsrs.MSR_IA32_TSC_DEADLINE => false,
        KvmMsrs.MSR_EFER or KvmMsrs.MSR_FS_BASE or KvmMsrs.MSR_GS_BASE or KvmMsrs.MSR_IA32_APICBASE => false,
        KvmMsrs.MSR_SMI_COUNT or KvmMsrs.MSR_IA32_SMBASE => false,

        // Hyper-V's, which KVM refuses to guests unless CPUID offers them, and of which one is a clock.
        >= KvmMsrs.HV_X64_MSR_FIRST and <= KvmMsrs.HV_X64_MSR_LAST => false,
        _ => true,
    };

    private sealed record Answer(IReadOnlyList<uint> Asked, uint[] Existing);
}
