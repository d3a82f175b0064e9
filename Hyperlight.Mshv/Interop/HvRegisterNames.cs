namespace Hyperlight.Mshv.Interop;

/// <summary>enum hv_register_name of hyperv/hvgdk_mini.h.</summary>
internal static class HvRegisterNames
{
    public const uint HV_REGISTER_PENDING_INTERRUPTION = 0x0001_0002;
    public const uint HV_REGISTER_INTERRUPT_STATE = 0x0001_0003;
    public const uint HV_REGISTER_PENDING_EVENT0 = 0x0001_0004;
    public const uint HV_REGISTER_PENDING_EVENT1 = 0x0001_0005;
    public const uint HV_X64_REGISTER_DELIVERABILITY_NOTIFICATIONS = 0x0001_0006;

    public const uint HV_X64_REGISTER_RAX = 0x0002_0000;
    public const uint HV_X64_REGISTER_RCX = 0x0002_0001;
    public const uint HV_X64_REGISTER_RDX = 0x0002_0002;
    public const uint HV_X64_REGISTER_RBX = 0x0002_0003;
    public const uint HV_X64_REGISTER_RSP = 0x0002_0004;
    public const uint HV_X64_REGISTER_RBP = 0x0002_0005;
    public const uint HV_X64_REGISTER_RSI = 0x0002_0006;
    public const uint HV_X64_REGISTER_RDI = 0x0002_0007;
    public const uint HV_X64_REGISTER_R8 = 0x0002_0008;
    public const uint HV_X64_REGISTER_R9 = 0x0002_0009;
    public const uint HV_X64_REGISTER_R10 = 0x0002_000A;
    public const uint HV_X64_REGISTER_R11 = 0x0002_000B;
    public const uint HV_X64_REGISTER_R12 = 0x0002_000C;
    public const uint HV_X64_REGISTER_R13 = 0x0002_000D;
    public const uint HV_X64_REGISTER_R14 = 0x0002_000E;
    public const uint HV_X64_REGISTER_R15 = 0x0002_000F;
    public const uint HV_X64_REGISTER_RIP = 0x0002_0010;
    public const uint HV_X64_REGISTER_RFLAGS = 0x0002_0011;

    public const uint HV_X64_REGISTER_CR2 = 0x0004_0001;
    public const uint HV_X64_REGISTER_CR0 = 0x0004_0000;
    public const uint HV_X64_REGISTER_CR3 = 0x0004_0002;
    public const uint HV_X64_REGISTER_CR4 = 0x0004_0003;
    public const uint HV_X64_REGISTER_CR8 = 0x0004_0004;

    /// <summary>XCR0.</summary>
    public const uint HV_X64_REGISTER_XFEM = 0x0004_0005;

    // Writing these leaves combinations to be checked when the processor runs.
    public const uint HV_X64_REGISTER_INTERMEDIATE_CR0 = 0x0004_1000;
    public const uint HV_X64_REGISTER_INTERMEDIATE_CR3 = 0x0004_1002;
    public const uint HV_X64_REGISTER_INTERMEDIATE_CR4 = 0x0004_1003;
    public const uint HV_X64_REGISTER_INTERMEDIATE_CR8 = 0x0004_1004;

    public const uint HV_X64_REGISTER_DR0 = 0x0005_0000;
    public const uint HV_X64_REGISTER_DR1 = 0x0005_0001;
    public const uint HV_X64_REGISTER_DR2 = 0x0005_0002;
    public const uint HV_X64_REGISTER_DR3 = 0x0005_0003;
    public const uint HV_X64_REGISTER_DR6 = 0x0005_0004;
    public const uint HV_X64_REGISTER_DR7 = 0x0005_0005;

    public const uint HV_X64_REGISTER_ES = 0x0006_0000;
    public const uint HV_X64_REGISTER_CS = 0x0006_0001;
    public const uint HV_X64_REGISTER_SS = 0x0006_0002;
    public const uint HV_X64_REGISTER_DS = 0x0006_0003;
    public const uint HV_X64_REGISTER_FS = 0x0006_0004;
    public const uint HV_X64_REGISTER_GS = 0x0006_0005;
    public const uint HV_X64_REGISTER_LDTR = 0x0006_0006;
    public const uint HV_X64_REGISTER_TR = 0x0006_0007;
    public const uint HV_X64_REGISTER_IDTR = 0x0007_0000;
    public const uint HV_X64_REGISTER_GDTR = 0x0007_0001;

    public const uint HV_X64_REGISTER_TSC = 0x0008_0000;
    public const uint HV_X64_REGISTER_EFER = 0x0008_0001;
    public const uint HV_X64_REGISTER_KERNEL_GS_BASE = 0x0008_0002;
    public const uint HV_X64_REGISTER_APIC_BASE = 0x0008_0003;
    public const uint HV_X64_REGISTER_PAT = 0x0008_0004;
    public const uint HV_X64_REGISTER_SYSENTER_CS = 0x0008_0005;
    public const uint HV_X64_REGISTER_SYSENTER_EIP = 0x0008_0006;
    public const uint HV_X64_REGISTER_SYSENTER_ESP = 0x0008_0007;
    public const uint HV_X64_REGISTER_STAR = 0x0008_0008;
    public const uint HV_X64_REGISTER_LSTAR = 0x0008_0009;
    public const uint HV_X64_REGISTER_CSTAR = 0x0008_000A;
    public const uint HV_X64_REGISTER_SFMASK = 0x0008_000B;
    public const uint HV_X64_REGISTER_MSR_MTRR_CAP = 0x0008_000D;
    public const uint HV_X64_REGISTER_MSR_MTRR_DEF_TYPE = 0x0008_000E;
    public const uint HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0 = 0x0008_0010;
    public const uint HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0 = 0x0008_0040;
    public const uint HV_X64_REGISTER_MSR_MTRR_FIX64K00000 = 0x0008_0070;
    public const uint HV_X64_REGISTER_MSR_MTRR_FIX16K80000 = 0x0008_0071;
    public const uint HV_X64_REGISTER_MSR_MTRR_FIX16KA0000 = 0x0008_0072;
    public const uint HV_X64_REGISTER_MSR_MTRR_FIX4KC0000 = 0x0008_0073;
    public const uint HV_X64_REGISTER_TSC_AUX = 0x0008_007B;
    public const uint HV_X64_REGISTER_BNDCFGS = 0x0008_007C;
    public const uint HV_X64_REGISTER_DEBUG_CTL = 0x0008_007D;
    public const uint HV_X64_REGISTER_SPEC_CTRL = 0x0008_0084;
    public const uint HV_X64_REGISTER_VIRT_SPEC_CTRL = 0x0008_0086;
    public const uint HV_X64_REGISTER_U_XSS = 0x0008_008B;
    public const uint HV_X64_REGISTER_U_CET = 0x0008_008C;
    public const uint HV_X64_REGISTER_S_CET = 0x0008_008D;
    public const uint HV_X64_REGISTER_PL0_SSP = 0x0008_008F;
    public const uint HV_X64_REGISTER_PL1_SSP = 0x0008_0090;
    public const uint HV_X64_REGISTER_PL2_SSP = 0x0008_0091;
    public const uint HV_X64_REGISTER_PL3_SSP = 0x0008_0092;
    public const uint HV_X64_REGISTER_INTERRUPT_SSP_TABLE_ADDR = 0x0008_0093;
    public const uint HV_X64_REGISTER_TSC_ADJUST = 0x0008_0096;
    public const uint HV_X64_REGISTER_MSR_IA32_MISC_ENABLE = 0x0008_00A0;
}

/// <summary>
/// Names of the same enumeration that the kernel's headers leave out. They are in hvdef, the hypervisor's definitions of
/// github.com/microsoft/openvmm (vm/hv1/hvdef).
/// </summary>
internal static class HvdefRegisterNames
{
    public const uint TsxCtrl = 0x0008_0088;
    public const uint TscDeadline = 0x0008_0095;
    public const uint UmwaitControl = 0x0008_0098;
    public const uint Xfd = 0x0008_0099;
    public const uint XfdErr = 0x0008_009A;
}
