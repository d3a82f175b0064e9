using Hyperlight.Abstractions;
using Hyperlight.Kvm;
using Hyperlight.Kvm.Interop;

namespace Hyperlight.Tests.Kvm;

/// <summary>What any value of a register must satisfy on its way to the kernel and back.</summary>
internal sealed class RegisterConversionProperties
{
    /// <summary>The attribute bits that a segment has.</summary>
    private const ushort AttributeBits = 0xF0FF;

    [FsCheck.NUnit.Property]
    public bool SegmentsComeBack(ulong address, uint limit, ushort selector, ushort attributes)
    {
        SegmentRegister segment = new()
        {
            Base = address,
            Limit = limit,
            Selector = selector,
            Attributes = (ushort)(attributes & AttributeBits),
        };
        SpecialRegisters set = new() { Cs = segment, Ds = segment, Fs = segment, Ss = segment, Tr = segment, Ldtr = segment };

        RegisterConversion.FromSpecial(in set, out KvmSregs sregs);

        return RegisterConversion.ToSpecial(in sregs) == set && sregs.Cs.Present != sregs.Cs.Unusable;
    }

    [FsCheck.NUnit.Property]
    public bool FpuStateComesBack(ushort control, ushort status, byte tag, uint mxcsr, ulong low, ulong high, int index)
    {
        XmmRegisters xmm = default;
        xmm[index & 15] = new UInt128(high, low);
        X87Stack st = default;
        st[index & 7] = new UInt128(high & 0xFFFF, low);
        FpuRegisters set = new()
        {
            ControlWord = control,
            StatusWord = status,
            TagWord = tag,
            LastOpcode = (ushort)(control ^ status),
            LastInstruction = low,
            LastOperand = high,
            Mxcsr = mxcsr,
            St = st,
            Xmm = xmm,
        };
        byte[] image = new byte[4096];

        XsaveLegacyArea.Write(in set, image);

        return XsaveLegacyArea.Read(image) == set;
    }
}
