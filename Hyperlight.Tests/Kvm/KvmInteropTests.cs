using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>Sizes, offsets and numbers against those of the kernel's headers on x86-64, as a C compiler gives them.</summary>
internal sealed class KvmInteropTests
{
    [Test]
    public void StructuresHaveTheSizesOfTheHeader() => Assert.Multiple(static () =>
    {
        Assert.That(Unsafe.SizeOf<KvmRun>(), Is.EqualTo(2352));
        Assert.That(Unsafe.SizeOf<KvmRegs>(), Is.EqualTo(144));
        Assert.That(Unsafe.SizeOf<KvmSegment>(), Is.EqualTo(24));
        Assert.That(Unsafe.SizeOf<KvmDtable>(), Is.EqualTo(16));
        Assert.That(Unsafe.SizeOf<KvmSregs>(), Is.EqualTo(312));
        Assert.That(Unsafe.SizeOf<KvmDebugregs>(), Is.EqualTo(128));
        Assert.That(Unsafe.SizeOf<KvmMsrs>(), Is.EqualTo(8));
        Assert.That(Unsafe.SizeOf<KvmMsrEntry>(), Is.EqualTo(16));
        Assert.That(Unsafe.SizeOf<KvmXcrs>(), Is.EqualTo(392));
        Assert.That(Unsafe.SizeOf<KvmVcpuEvents>(), Is.EqualTo(64));
        Assert.That(Unsafe.SizeOf<KvmCpuid2>(), Is.EqualTo(8));
        Assert.That(Unsafe.SizeOf<KvmCpuidEntry2>(), Is.EqualTo(40));
        Assert.That(Unsafe.SizeOf<KvmUserspaceMemoryRegion>(), Is.EqualTo(32));
        Assert.That(Unsafe.SizeOf<KvmMsrFilterRange>(), Is.EqualTo(24));
        Assert.That(Unsafe.SizeOf<KvmMsrFilter>(), Is.EqualTo(392));
        Assert.That(Unsafe.SizeOf<KvmSignalMask>(), Is.EqualTo(12), "a length of 4 bytes and a set of 8");
    });

    [TestCase(typeof(KvmRun), nameof(KvmRun.ImmediateExit), 1)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.ExitReason), 8)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Cr8), 16)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.FirstDetail), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Io), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Mmio), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Debug), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.InternalError), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.MemoryFault), 32)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.ValidRegs), 288)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.DirtyRegs), 296)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Regs), 304)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Sregs), 448)]
    [TestCase(typeof(KvmRun), nameof(KvmRun.Events), 760)]
    [TestCase(typeof(KvmXcrs), nameof(KvmXcrs.Value), 16)]
    [TestCase(typeof(KvmVcpuEvents), nameof(KvmVcpuEvents.InterruptShadow), 11)]
    [TestCase(typeof(KvmVcpuEvents), nameof(KvmVcpuEvents.Flags), 20)]
    [TestCase(typeof(KvmRunIo), nameof(KvmRunIo.Direction), 0)]
    [TestCase(typeof(KvmRunIo), nameof(KvmRunIo.Size), 1)]
    [TestCase(typeof(KvmRunIo), nameof(KvmRunIo.Port), 2)]
    [TestCase(typeof(KvmRunIo), nameof(KvmRunIo.Count), 4)]
    [TestCase(typeof(KvmRunIo), nameof(KvmRunIo.DataOffset), 8)]
    [TestCase(typeof(KvmRunMmio), nameof(KvmRunMmio.PhysAddr), 0)]
    [TestCase(typeof(KvmRunMmio), nameof(KvmRunMmio.Data), 8)]
    [TestCase(typeof(KvmRunMmio), nameof(KvmRunMmio.Len), 16)]
    [TestCase(typeof(KvmRunMmio), nameof(KvmRunMmio.IsWrite), 20)]
    [TestCase(typeof(KvmRunDebug), nameof(KvmRunDebug.Exception), 0)]
    [TestCase(typeof(KvmRunDebug), nameof(KvmRunDebug.Pc), 8)]
    [TestCase(typeof(KvmRunDebug), nameof(KvmRunDebug.Dr6), 16)]
    [TestCase(typeof(KvmRunInternalError), nameof(KvmRunInternalError.Suberror), 0)]
    [TestCase(typeof(KvmRunInternalError), nameof(KvmRunInternalError.NData), 4)]
    [TestCase(typeof(KvmRunInternalError), nameof(KvmRunInternalError.Flags), 8)]
    [TestCase(typeof(KvmRunInternalError), nameof(KvmRunInternalError.InsnSize), 16)]
    [TestCase(typeof(KvmRunInternalError), nameof(KvmRunInternalError.InsnBytes), 17)]
    [TestCase(typeof(KvmRunMemoryFault), nameof(KvmRunMemoryFault.Flags), 0)]
    [TestCase(typeof(KvmRunMemoryFault), nameof(KvmRunMemoryFault.Gpa), 8)]
    [TestCase(typeof(KvmRegs), nameof(KvmRegs.Rax), 0)]
    [TestCase(typeof(KvmRegs), nameof(KvmRegs.Rsp), 48)]
    [TestCase(typeof(KvmRegs), nameof(KvmRegs.R8), 64)]
    [TestCase(typeof(KvmRegs), nameof(KvmRegs.Rip), 128)]
    [TestCase(typeof(KvmRegs), nameof(KvmRegs.Rflags), 136)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Limit), 8)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Selector), 12)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Type), 14)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Present), 15)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Dpl), 16)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Db), 17)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.S), 18)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.L), 19)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.G), 20)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Avl), 21)]
    [TestCase(typeof(KvmSegment), nameof(KvmSegment.Unusable), 22)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.Tr), 144)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.Ldt), 168)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.Gdt), 192)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.Cr0), 224)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.Efer), 264)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.ApicBase), 272)]
    [TestCase(typeof(KvmSregs), nameof(KvmSregs.InterruptBitmap), 280)]
    [TestCase(typeof(KvmDebugregs), nameof(KvmDebugregs.Dr6), 32)]
    [TestCase(typeof(KvmDebugregs), nameof(KvmDebugregs.Dr7), 40)]
    [TestCase(typeof(KvmDebugregs), nameof(KvmDebugregs.Flags), 48)]
    [TestCase(typeof(KvmMsrEntry), nameof(KvmMsrEntry.Data), 8)]
    [TestCase(typeof(KvmMsrFilter), nameof(KvmMsrFilter.Ranges), 8)]
    [TestCase(typeof(KvmMsrFilterRange), nameof(KvmMsrFilterRange.Base), 8)]
    [TestCase(typeof(KvmMsrFilterRange), nameof(KvmMsrFilterRange.Bitmap), 16)]
    [TestCase(typeof(KvmCpuidEntry2), nameof(KvmCpuidEntry2.Flags), 8)]
    [TestCase(typeof(KvmCpuidEntry2), nameof(KvmCpuidEntry2.Eax), 12)]
    [TestCase(typeof(KvmUserspaceMemoryRegion), nameof(KvmUserspaceMemoryRegion.GuestPhysAddr), 8)]
    [TestCase(typeof(KvmUserspaceMemoryRegion), nameof(KvmUserspaceMemoryRegion.MemorySize), 16)]
    [TestCase(typeof(KvmUserspaceMemoryRegion), nameof(KvmUserspaceMemoryRegion.UserspaceAddr), 24)]
    [TestCase(typeof(KvmVcpuEvents), nameof(KvmVcpuEvents.Flags), 20)]
    [TestCase(typeof(KvmVcpuEvents), nameof(KvmVcpuEvents.TripleFaultPending), 28)]
    [TestCase(typeof(KvmEnableCap), nameof(KvmEnableCap.Enable), 8)]
    [TestCase(typeof(KvmSignalMask), nameof(KvmSignalMask.Sigset), 4)]
    public void FieldsHaveTheOffsetsOfTheHeader(Type structure, string field, int offset) =>
        Assert.That((int)Marshal.OffsetOf(structure, field), Is.EqualTo(offset));

    [TestCase(KvmIoctls.KVM_GET_API_VERSION, 0x00, 0, 0)]
    [TestCase(KvmIoctls.KVM_CREATE_VM, 0x01, 0, 0)]
    [TestCase(KvmIoctls.KVM_CHECK_EXTENSION, 0x03, 0, 0)]
    [TestCase(KvmIoctls.KVM_GET_VCPU_MMAP_SIZE, 0x04, 0, 0)]
    [TestCase(KvmIoctls.KVM_GET_SUPPORTED_CPUID, 0x05, 8, 3)]
    [TestCase(KvmIoctls.KVM_CREATE_VCPU, 0x41, 0, 0)]
    [TestCase(KvmIoctls.KVM_SET_USER_MEMORY_REGION, 0x46, 32, 1)]
    [TestCase(KvmIoctls.KVM_X86_SET_MSR_FILTER, 0xC6, 392, 1)]
    [TestCase(KvmIoctls.KVM_ENABLE_CAP, 0xA3, 104, 1)]
    [TestCase(KvmIoctls.KVM_RUN, 0x80, 0, 0)]
    [TestCase(KvmIoctls.KVM_GET_REGS, 0x81, 144, 2)]
    [TestCase(KvmIoctls.KVM_SET_REGS, 0x82, 144, 1)]
    [TestCase(KvmIoctls.KVM_GET_SREGS, 0x83, 312, 2)]
    [TestCase(KvmIoctls.KVM_SET_SREGS, 0x84, 312, 1)]
    [TestCase(KvmIoctls.KVM_GET_MSRS, 0x88, 8, 3)]
    [TestCase(KvmIoctls.KVM_SET_MSRS, 0x89, 8, 1)]
    [TestCase(KvmIoctls.KVM_SET_SIGNAL_MASK, 0x8B, 4, 1)]
    [TestCase(KvmIoctls.KVM_SET_CPUID2, 0x90, 8, 1)]
    [TestCase(KvmIoctls.KVM_GET_DEBUGREGS, 0xA1, 128, 2)]
    [TestCase(KvmIoctls.KVM_SET_DEBUGREGS, 0xA2, 128, 1)]
    [TestCase(KvmIoctls.KVM_GET_XSAVE, 0xA4, 4096, 2)]
    [TestCase(KvmIoctls.KVM_SET_XSAVE, 0xA5, 4096, 1)]
    [TestCase(KvmIoctls.KVM_GET_MSR_INDEX_LIST, 0x02, 4, 3)]
    [TestCase(KvmIoctls.KVM_SET_VCPU_EVENTS, 0xA0, 64, 1)]
    [TestCase(KvmIoctls.KVM_GET_XCRS, 0xA6, 392, 2)]
    [TestCase(KvmIoctls.KVM_SET_XCRS, 0xA7, 392, 1)]
    [TestCase(KvmIoctls.KVM_GET_XSAVE2, 0xCF, 4096, 2)]
    public void RequestsEncodeNumberSizeAndDirection(uint request, int number, int size, int direction) =>
        Assert.That(request, Is.EqualTo(((uint)direction << 30) | ((uint)size << 16) | 0xAE00u | (uint)number));
}
