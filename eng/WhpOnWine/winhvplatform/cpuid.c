// CPUID as a partition's properties want it: features without a bit in the property are hidden, then bits of leaves replaced.
#include "processor.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_ENTRIES 256
#define FIRST_HYPERVISOR_LEAF 0x40000000
#define LAST_HYPERVISOR_LEAF 0x400000FF

// Of EBX of leaf 7.
#define TSC_ADJUST_BIT 1

enum output { EAX, EBX, ECX, EDX };

// Bits of WHV_PROCESSOR_FEATURES (bank 0) and WHV_PROCESSOR_FEATURES1 (bank 1), and where CPUID shows the feature.
static const struct
{
    UINT8 bank, bit;
    UINT32 leaf, subleaf;
    enum output output;
    UINT8 output_bit;
} features[] = {
    { 0, 18, 1, 0, ECX, 17 },          // PCID
    { 0, 22, 7, 0, EBX, 0 },           // FSGSBASE
    { 0, 43, 7, 0, EBX, 10 },          // INVPCID
    { 0, 44, 7, 0, EDX, 26 },          // IBRS and IBPB
    { 0, 44, 0x80000008, 0, EBX, 14 }, // IBRS
    { 0, 45, 7, 0, EDX, 27 },          // STIBP
    { 0, 45, 0x80000008, 0, EBX, 15 },
    { 0, 46, 0x80000008, 0, EBX, 12 }, // IBPB
    { 0, 48, 7, 0, EDX, 31 },          // SSBD
    { 0, 48, 0x80000008, 0, EBX, 24 },
    { 0, 52, 7, 0, EDX, 29 },          // IA32_ARCH_CAPABILITIES, which has IBRS_ALL
    { 0, 62, 7, 0, EDX, 29 },          // and TSX_CTRL
    { 1, 0, 6, 0, ECX, 0 },            // APERF and MPERF
    { 1, 3, 0x80000008, 0, EBX, 4 },   // RDPRU
    { 1, 6, 1, 0, ECX, 5 },            // VMX
    { 1, 6, 0x80000001, 0, ECX, 2 },   // SVM
    { 1, 7, 0x80000008, 0, EBX, 28 },  // PSFD
    { 1, 8, 7, 0, ECX, 7 },            // shadow stacks
    { 1, 9, 7, 0, EDX, 20 },           // indirect branch tracking
    { 1, 12, 7, 0, ECX, 5 },           // UMWAIT and TPAUSE
    { 1, 17, 1, 0, ECX, 24 },          // TSC deadline
};

static UINT32 *output_of(struct kvm_cpuid_entry2 *entry, enum output output)
{
    UINT32 *outputs[] = { &entry->eax, &entry->ebx, &entry->ecx, &entry->edx };
    return outputs[output];
}

static void hide_features(struct partition *partition, struct kvm_cpuid_entry2 *entry)
{
    for (size_t i = 0; i < sizeof features / sizeof *features; i++)
        if (entry->function == features[i].leaf && entry->index == features[i].subleaf
            && !(partition->features.AsUINT64[features[i].bank] >> features[i].bit & 1))
            *output_of(entry, features[i].output) &= ~(1u << features[i].output_bit);
}

static void replace_bits(struct partition *partition, struct kvm_cpuid_entry2 *entry)
{
    for (UINT32 i = 0; i < partition->cpuid_result_count; i++)
    {
        const WHV_X64_CPUID_RESULT2 *result = &partition->cpuid_results[i];
        if (result->Function != entry->function
            || (result->Flags & WHvX64CpuidResult2FlagSubleafSpecific && result->Index != entry->index))
            continue;
        entry->eax = (entry->eax & ~result->Mask.Eax) | (result->Output.Eax & result->Mask.Eax);
        entry->ebx = (entry->ebx & ~result->Mask.Ebx) | (result->Output.Ebx & result->Mask.Ebx);
        entry->ecx = (entry->ecx & ~result->Mask.Ecx) | (result->Output.Ecx & result->Mask.Ecx);
        entry->edx = (entry->edx & ~result->Mask.Edx) | (result->Output.Edx & result->Mask.Edx);
    }
}

HRESULT set_cpuid(struct partition *partition)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + MAX_ENTRIES * sizeof *cpuid->entries);
    if (!cpuid)
        return E_OUTOFMEMORY;
    cpuid->nent = MAX_ENTRIES;
    int result = kvm(kvm_device(), KVM_GET_SUPPORTED_CPUID, cpuid);
    UINT32 count = 0;
    for (UINT32 i = 0; result >= 0 && i < cpuid->nent; i++)
    {
        struct kvm_cpuid_entry2 entry = cpuid->entries[i];

        // KVM's own leaves are not those of this platform.
        if (entry.function >= FIRST_HYPERVISOR_LEAF && entry.function <= LAST_HYPERVISOR_LEAF)
            continue;
        hide_features(partition, &entry);
        replace_bits(partition, &entry);
        if (entry.function == 7 && entry.index == 0)
            partition->shows_tsc_adjust = entry.ebx >> TSC_ADJUST_BIT & 1;
        cpuid->entries[count++] = entry;
    }
    cpuid->nent = count;
    if (result >= 0)
        result = kvm(partition->vcpu, KVM_SET_CPUID2, cpuid);
    free(cpuid);
    return result < 0 ? from_errno(-result) : S_OK;
}
