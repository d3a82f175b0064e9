using Hyperlight.Kvm.Interop;
using Hyperlight.Linux;

namespace Hyperlight.Kvm;

/// <summary>
/// The model-specific registers that make up a guest's state, by the account of KVM_GET_MSR_INDEX_LIST. Which of them a vCPU
/// really has is found out once, by the first vCPU that is asked. Safe to use from any thread.
/// </summary>
internal sealed unsafe class KvmMsrList
{
    private const int FirstGuess = 256;
    private const int MostIndices = 8192;

    private readonly uint[] _listed;
    private uint[]? _writable;

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
                list = new KvmMsrList([.. buffer.AsSpan(1, (int)Math.Min(buffer[0], (uint)count)).ToArray().Where(IsGuestState)]);
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

    /// <summary>The registers that a vCPU gives, all vCPUs of one host being alike.</summary>
    public ReadOnlyMemory<uint> WritableOn(KvmVcpu vcpu) => _writable ??= [.. _listed.Where(vcpu.HasMsr)];

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
}
