// Model-specific registers: those that have a name. A guest may use these and no others.
#include "processor.h"
#include <string.h>

#define TSC_ADJUST 0x3B
#define FS_BASE 0xC0000100
#define GS_BASE 0xC0000101

// Names that follow each other have numbers a step apart.
static const struct
{
    UINT32 name, index, count, step;
} msrs[] = {
    { WHvX64RegisterTsc, 0x10, 1, 0 },
    { WHvX64RegisterEfer, 0xC0000080, 1, 0 },
    { WHvX64RegisterKernelGsBase, 0xC0000102, 1, 0 },
    { WHvX64RegisterApicBase, 0x1B, 1, 0 },
    { WHvX64RegisterPat, 0x277, 1, 0 },
    { WHvX64RegisterSysenterCs, 0x174, 1, 0 },
    { WHvX64RegisterSysenterEip, 0x176, 1, 0 },
    { WHvX64RegisterSysenterEsp, 0x175, 1, 0 },
    { WHvX64RegisterStar, 0xC0000081, 1, 0 },
    { WHvX64RegisterLstar, 0xC0000082, 1, 0 },
    { WHvX64RegisterCstar, 0xC0000083, 1, 0 },
    { WHvX64RegisterSfmask, 0xC0000084, 1, 0 },
    { WHvX64RegisterMsrMtrrCap, 0xFE, 1, 0 },
    { WHvX64RegisterMsrMtrrDefType, 0x2FF, 1, 0 },
    { WHvX64RegisterMsrMtrrPhysBase0, 0x200, 16, 2 },
    { WHvX64RegisterMsrMtrrPhysMask0, 0x201, 16, 2 },
    { WHvX64RegisterMsrMtrrFix64k00000, 0x250, 1, 0 },
    { WHvX64RegisterMsrMtrrFix16k80000, 0x258, 2, 1 },
    { WHvX64RegisterMsrMtrrFix4kC0000, 0x268, 8, 1 },
    { WHvX64RegisterTscAux, 0xC0000103, 1, 0 },
    { WHvX64RegisterBndcfgs, 0xD90, 1, 0 },
    { WHvX64RegisterMCount, 0xE7, 1, 0 },
    { WHvX64RegisterACount, 0xE8, 1, 0 },
    { WHvX64RegisterSpecCtrl, 0x48, 1, 0 },
    { WHvX64RegisterPredCmd, 0x49, 1, 0 },
    { WHvX64RegisterTsxCtrl, 0x122, 1, 0 },
    { WHvX64RegisterXss, 0xDA0, 1, 0 },
    { WHvX64RegisterUCet, 0x6A0, 1, 0 },
    { WHvX64RegisterSCet, 0x6A2, 1, 0 },
    { WHvX64RegisterPl0Ssp, 0x6A4, 4, 1 },
    { WHvX64RegisterInterruptSspTableAddr, 0x6A8, 1, 0 },
    { WHvX64RegisterTscDeadline, 0x6E0, 1, 0 },
    { WHvX64RegisterTscAdjust, 0x3B, 1, 0 },
    { WHvX64RegisterUmwaitControl, 0xE1, 1, 0 },
    { WHvX64RegisterXfd, 0x1C4, 1, 0 },
    { WHvX64RegisterXfdErr, 0x1C5, 1, 0 },
};

bool find_msr(WHV_REGISTER_NAME name, UINT32 *index)
{
    for (size_t i = 0; i < sizeof msrs / sizeof *msrs; i++)
        if ((UINT32)name - msrs[i].name < msrs[i].count)
        {
            *index = msrs[i].index + ((UINT32)name - msrs[i].name) * msrs[i].step;
            return true;
        }
    return false;
}

static void allow(struct kvm_msr_filter *filter, UINT32 index)
{
    for (size_t i = 0; i < KVM_MSR_FILTER_MAX_RANGES; i++)
    {
        struct kvm_msr_filter_range *range = &filter->ranges[i];
        if (range->nmsrs && index - range->base < range->nmsrs)
            range->bitmap[(index - range->base) / 8] |= 1 << (index - range->base) % 8;
    }
}

HRESULT set_msr_filter(struct partition *partition)
{
    static const struct
    {
        UINT32 base, count;
    } ranges[] = { { 0, 0x800 }, { 0xD80, 0x80 }, { 0xC0000080, 0x100 } };
    UINT8 bitmaps[sizeof ranges / sizeof *ranges][0x800 / 8];
    struct kvm_msr_filter filter = { .flags = KVM_MSR_FILTER_DEFAULT_DENY };
    memset(bitmaps, 0, sizeof bitmaps);
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
    {
        filter.ranges[i].flags = KVM_MSR_FILTER_READ | KVM_MSR_FILTER_WRITE;
        filter.ranges[i].base = ranges[i].base;
        filter.ranges[i].nmsrs = ranges[i].count;
        filter.ranges[i].bitmap = bitmaps[i];
    }
    for (size_t i = 0; i < sizeof msrs / sizeof *msrs; i++)
        for (UINT32 j = 0; j < msrs[i].count; j++)
            if (msrs[i].index != TSC_ADJUST || partition->shows_tsc_adjust)
                allow(&filter, msrs[i].index + j * msrs[i].step);

    // The bases of FS and GS are parts of those registers.
    allow(&filter, FS_BASE);
    allow(&filter, GS_BASE);
    int result = kvm(partition->vm, KVM_X86_SET_MSR_FILTER, &filter);
    return result < 0 ? from_errno(-result) : S_OK;
}
