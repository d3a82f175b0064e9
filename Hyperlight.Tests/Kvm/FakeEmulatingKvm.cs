using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>
/// A KVM without hardware virtualization, for <see cref="FakeKvmKernel.OnRun"/>: it emulates code at CPL 0, which is at
/// the same guest physical address here, and ends with an internal error at what its emulator lacks.
/// </summary>
internal static class FakeEmulatingKvm
{
    private const byte Hlt = 0xF4;
    private const int LongestInstruction = 15;

    private static readonly byte[][] Unsupported =
    [
        [0x66, 0x0F, 0xEF],
        [0xF3, 0x0F, 0xB8],
        [0xCC],
    ];

    public static int Run(FakeVcpu vcpu)
    {
        ReadOnlySpan<byte> code = vcpu.Machine.Memory(vcpu.Regs.Rip, LongestInstruction);
        if (code[0] == Hlt)
        {
            return vcpu.ExitHalt();
        }

        foreach (byte[] start in Unsupported)
        {
            if (code.StartsWith(start))
            {
                return vcpu.ExitInternalError(new KvmRunInternalError { Suberror = KvmRun.KVM_INTERNAL_ERROR_EMULATION });
            }
        }

        throw new InvalidOperationException($"The probe executes {Convert.ToHexString(code)}, which this KVM was not told of.");
    }
}
