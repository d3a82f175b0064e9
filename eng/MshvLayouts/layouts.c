// Prints sizes, offsets and numbers of the structures and constants that Hyperlight.Mshv/Interop has, as the public headers
// define them. README.md says where the headers come from.
#include <stddef.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <linux/types.h>

// The kernel's own names, which the hypervisor's headers use.
#define __packed __attribute__((packed))
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#include <linux/mshv.h>
#include "hvhdk.h"

#define SIZE(type) printf("size " #type " %zu\n", sizeof(struct type))
#define FIELD(type, field) printf("offset " #type " " #field " %zu\n", offsetof(struct type, field))
#define VALUE(name) printf("value " #name " 0x%llX\n", (unsigned long long)(unsigned)(name))
#define BIT_VALUE(name, bit) printf("value " #name " 0x%X\n", 1U << (bit))

// A bit of one of the unions of bit fields.
#define FEATURE(bank, field) do { \
        union hv_partition_processor_features f = { .as_uint64 = { 0 } }; \
        f.field = 1; \
        printf("feature " #bank " " #field " 0x%llX\n", (unsigned long long)f.as_uint64[bank]); \
    } while (0)
#define XSAVE_FEATURE(field) do { \
        union hv_partition_processor_xsave_features f = { .as_uint64 = 0 }; \
        f.field = 1; \
        printf("feature xsave " #field " 0x%llX\n", (unsigned long long)f.as_uint64); \
    } while (0)

#define REGISTER_BIT(type, name, field) do { \
        union type value = { .as_uint64 = 0 }; \
        value.field = 1; \
        printf("value " #name " 0x%llX\n", (unsigned long long)value.as_uint64); \
    } while (0)

int main(void)
{
    SIZE(mshv_create_partition);
    SIZE(mshv_create_partition_v2);
    FIELD(mshv_create_partition_v2, pt_flags);
    FIELD(mshv_create_partition_v2, pt_isolation);
    FIELD(mshv_create_partition_v2, pt_num_cpu_fbanks);
    FIELD(mshv_create_partition_v2, pt_cpu_fbanks[0]);
    FIELD(mshv_create_partition_v2, pt_cpu_fbanks[1]);
    FIELD(mshv_create_partition_v2, pt_disabled_xsave);
    SIZE(mshv_create_vp);
    FIELD(mshv_create_vp, vp_index);
    SIZE(mshv_user_mem_region);
    FIELD(mshv_user_mem_region, size);
    FIELD(mshv_user_mem_region, guest_pfn);
    FIELD(mshv_user_mem_region, userspace_addr);
    FIELD(mshv_user_mem_region, flags);
    SIZE(mshv_root_hvcall);
    FIELD(mshv_root_hvcall, code);
    FIELD(mshv_root_hvcall, reps);
    FIELD(mshv_root_hvcall, in_sz);
    FIELD(mshv_root_hvcall, out_sz);
    FIELD(mshv_root_hvcall, status);
    FIELD(mshv_root_hvcall, in_ptr);
    FIELD(mshv_root_hvcall, out_ptr);
    SIZE(mshv_get_set_vp_state);
    FIELD(mshv_get_set_vp_state, type);
    FIELD(mshv_get_set_vp_state, buf_sz);
    FIELD(mshv_get_set_vp_state, buf_ptr);
    SIZE(hv_input_set_partition_property);
    FIELD(hv_input_set_partition_property, partition_id);
    FIELD(hv_input_set_partition_property, property_code);
    FIELD(hv_input_set_partition_property, property_value);
    SIZE(hv_input_set_vp_registers);
    FIELD(hv_input_set_vp_registers, partition_id);
    FIELD(hv_input_set_vp_registers, vp_index);
    FIELD(hv_input_set_vp_registers, input_vtl);
    SIZE(hv_register_assoc);
    FIELD(hv_register_assoc, name);
    FIELD(hv_register_assoc, value);
    SIZE(hv_input_translate_virtual_address);
    FIELD(hv_input_translate_virtual_address, partition_id);
    FIELD(hv_input_translate_virtual_address, vp_index);
    FIELD(hv_input_translate_virtual_address, control_flags);
    FIELD(hv_input_translate_virtual_address, gva_page);
    SIZE(hv_output_translate_virtual_address);
    FIELD(hv_output_translate_virtual_address, translation_result);
    FIELD(hv_output_translate_virtual_address, gpa_page);
    SIZE(hv_x64_segment_register);
    FIELD(hv_x64_segment_register, base);
    FIELD(hv_x64_segment_register, limit);
    FIELD(hv_x64_segment_register, selector);
    FIELD(hv_x64_segment_register, attributes);
    SIZE(hv_x64_table_register);
    FIELD(hv_x64_table_register, limit);
    FIELD(hv_x64_table_register, base);
    SIZE(hv_message);
    FIELD(hv_message, header.message_type);
    FIELD(hv_message, header.payload_size);
    FIELD(hv_message, u.payload);
    SIZE(hv_x64_intercept_message_header);
    FIELD(hv_x64_intercept_message_header, vp_index);
    FIELD(hv_x64_intercept_message_header, intercept_access_type);
    FIELD(hv_x64_intercept_message_header, execution_state);
    FIELD(hv_x64_intercept_message_header, cs_segment);
    FIELD(hv_x64_intercept_message_header, rip);
    FIELD(hv_x64_intercept_message_header, rflags);
    SIZE(hv_x64_memory_intercept_message);
    FIELD(hv_x64_memory_intercept_message, header);
    FIELD(hv_x64_memory_intercept_message, instruction_byte_count);
    FIELD(hv_x64_memory_intercept_message, guest_virtual_address);
    FIELD(hv_x64_memory_intercept_message, guest_physical_address);
    FIELD(hv_x64_memory_intercept_message, instruction_bytes);
    SIZE(hv_x64_io_port_intercept_message);
    FIELD(hv_x64_io_port_intercept_message, header);
    FIELD(hv_x64_io_port_intercept_message, port_number);
    FIELD(hv_x64_io_port_intercept_message, access_info);
    FIELD(hv_x64_io_port_intercept_message, instruction_byte_count);
    FIELD(hv_x64_io_port_intercept_message, rax);
    FIELD(hv_x64_io_port_intercept_message, instruction_bytes);
    FIELD(hv_x64_io_port_intercept_message, rcx);
    FIELD(hv_x64_io_port_intercept_message, rsi);
    SIZE(hv_x64_exception_intercept_message);
    FIELD(hv_x64_exception_intercept_message, header);
    FIELD(hv_x64_exception_intercept_message, exception_vector);
    FIELD(hv_x64_exception_intercept_message, exception_parameter);
    SIZE(hv_vp_register_page);
    FIELD(hv_vp_register_page, version);
    FIELD(hv_vp_register_page, isvalid);
    FIELD(hv_vp_register_page, dirty);
    FIELD(hv_vp_register_page, rax);
    FIELD(hv_vp_register_page, rcx);
    FIELD(hv_vp_register_page, rdx);
    FIELD(hv_vp_register_page, rbx);
    FIELD(hv_vp_register_page, rsp);
    FIELD(hv_vp_register_page, rbp);
    FIELD(hv_vp_register_page, rsi);
    FIELD(hv_vp_register_page, rdi);
    FIELD(hv_vp_register_page, r8);
    FIELD(hv_vp_register_page, r9);
    FIELD(hv_vp_register_page, r10);
    FIELD(hv_vp_register_page, r11);
    FIELD(hv_vp_register_page, r12);
    FIELD(hv_vp_register_page, r13);
    FIELD(hv_vp_register_page, r14);
    FIELD(hv_vp_register_page, r15);
    FIELD(hv_vp_register_page, rip);
    FIELD(hv_vp_register_page, rflags);
    printf("size hv_register_value %zu\n", sizeof(union hv_register_value));
    VALUE(MSHV_CREATE_PARTITION);
    VALUE(MSHV_INITIALIZE_PARTITION);
    VALUE(MSHV_CREATE_VP);
    VALUE(MSHV_SET_GUEST_MEMORY);
    VALUE(MSHV_ROOT_HVCALL);
    VALUE(MSHV_RUN_VP);
    VALUE(MSHV_GET_VP_STATE);
    VALUE(MSHV_SET_VP_STATE);
    VALUE(HVCALL_SET_PARTITION_PROPERTY);
    VALUE(HVCALL_GET_VP_REGISTERS);
    VALUE(HVCALL_SET_VP_REGISTERS);
    VALUE(HVCALL_TRANSLATE_VIRTUAL_ADDRESS);
    VALUE(HV_TRANSLATE_GVA_VALIDATE_READ);
    VALUE(HV_TRANSLATE_GVA_VALIDATE_EXECUTE);
    VALUE(HV_TRANSLATE_GVA_SUCCESS);
    VALUE(HV_STATUS_SUCCESS);
    VALUE(HV_STATUS_ACCESS_DENIED);
    VALUE(HV_STATUS_OPERATION_DENIED);
    VALUE(HV_STATUS_UNKNOWN_PROPERTY);
    VALUE(HV_STATUS_PROPERTY_VALUE_OUT_OF_RANGE);
    VALUE(HV_STATUS_INSUFFICIENT_MEMORY);
    VALUE(HV_PARTITION_PROPERTY_SYNTHETIC_PROC_FEATURES);
    VALUE(HV_PARTITION_PROPERTY_PHYSICAL_ADDRESS_WIDTH);
    VALUE(HV_REGISTER_PENDING_INTERRUPTION);
    VALUE(HV_REGISTER_INTERRUPT_STATE);
    VALUE(HV_X64_REGISTER_DELIVERABILITY_NOTIFICATIONS);
    REGISTER_BIT(hv_x64_pending_interruption_register, InterruptionPending, interruption_pending);
    REGISTER_BIT(hv_x64_interrupt_state_register, InterruptShadow, interrupt_shadow);
    VALUE(HV_REGISTER_PENDING_EVENT0);
    VALUE(HV_REGISTER_PENDING_EVENT1);
    VALUE(HV_X64_REGISTER_RAX);
    VALUE(HV_X64_REGISTER_RCX);
    VALUE(HV_X64_REGISTER_RDX);
    VALUE(HV_X64_REGISTER_RBX);
    VALUE(HV_X64_REGISTER_RSP);
    VALUE(HV_X64_REGISTER_RBP);
    VALUE(HV_X64_REGISTER_RSI);
    VALUE(HV_X64_REGISTER_RDI);
    VALUE(HV_X64_REGISTER_R8);
    VALUE(HV_X64_REGISTER_R9);
    VALUE(HV_X64_REGISTER_R10);
    VALUE(HV_X64_REGISTER_R11);
    VALUE(HV_X64_REGISTER_R12);
    VALUE(HV_X64_REGISTER_R13);
    VALUE(HV_X64_REGISTER_R14);
    VALUE(HV_X64_REGISTER_R15);
    VALUE(HV_X64_REGISTER_RIP);
    VALUE(HV_X64_REGISTER_RFLAGS);
    VALUE(HV_X64_REGISTER_CR2);
    VALUE(HV_X64_REGISTER_CR0);
    VALUE(HV_X64_REGISTER_CR3);
    VALUE(HV_X64_REGISTER_CR4);
    VALUE(HV_X64_REGISTER_CR8);
    VALUE(HV_X64_REGISTER_XFEM);
    VALUE(HV_X64_REGISTER_INTERMEDIATE_CR0);
    VALUE(HV_X64_REGISTER_INTERMEDIATE_CR3);
    VALUE(HV_X64_REGISTER_INTERMEDIATE_CR4);
    VALUE(HV_X64_REGISTER_INTERMEDIATE_CR8);
    VALUE(HV_X64_REGISTER_DR0);
    VALUE(HV_X64_REGISTER_DR1);
    VALUE(HV_X64_REGISTER_DR2);
    VALUE(HV_X64_REGISTER_DR3);
    VALUE(HV_X64_REGISTER_DR6);
    VALUE(HV_X64_REGISTER_DR7);
    VALUE(HV_X64_REGISTER_ES);
    VALUE(HV_X64_REGISTER_CS);
    VALUE(HV_X64_REGISTER_SS);
    VALUE(HV_X64_REGISTER_DS);
    VALUE(HV_X64_REGISTER_FS);
    VALUE(HV_X64_REGISTER_GS);
    VALUE(HV_X64_REGISTER_LDTR);
    VALUE(HV_X64_REGISTER_TR);
    VALUE(HV_X64_REGISTER_IDTR);
    VALUE(HV_X64_REGISTER_GDTR);
    VALUE(HV_X64_REGISTER_TSC);
    VALUE(HV_X64_REGISTER_EFER);
    VALUE(HV_X64_REGISTER_KERNEL_GS_BASE);
    VALUE(HV_X64_REGISTER_APIC_BASE);
    VALUE(HV_X64_REGISTER_PAT);
    VALUE(HV_X64_REGISTER_SYSENTER_CS);
    VALUE(HV_X64_REGISTER_SYSENTER_EIP);
    VALUE(HV_X64_REGISTER_SYSENTER_ESP);
    VALUE(HV_X64_REGISTER_STAR);
    VALUE(HV_X64_REGISTER_LSTAR);
    VALUE(HV_X64_REGISTER_CSTAR);
    VALUE(HV_X64_REGISTER_SFMASK);
    VALUE(HV_X64_REGISTER_MSR_MTRR_CAP);
    VALUE(HV_X64_REGISTER_MSR_MTRR_DEF_TYPE);
    VALUE(HV_X64_REGISTER_MSR_MTRR_PHYS_BASE0);
    VALUE(HV_X64_REGISTER_MSR_MTRR_PHYS_MASK0);
    VALUE(HV_X64_REGISTER_MSR_MTRR_FIX64K00000);
    VALUE(HV_X64_REGISTER_MSR_MTRR_FIX16K80000);
    VALUE(HV_X64_REGISTER_MSR_MTRR_FIX16KA0000);
    VALUE(HV_X64_REGISTER_MSR_MTRR_FIX4KC0000);
    VALUE(HV_X64_REGISTER_TSC_AUX);
    VALUE(HV_X64_REGISTER_BNDCFGS);
    VALUE(HV_X64_REGISTER_DEBUG_CTL);
    VALUE(HV_X64_REGISTER_SPEC_CTRL);
    VALUE(HV_X64_REGISTER_VIRT_SPEC_CTRL);
    VALUE(HV_X64_REGISTER_U_XSS);
    VALUE(HV_X64_REGISTER_U_CET);
    VALUE(HV_X64_REGISTER_S_CET);
    VALUE(HV_X64_REGISTER_PL0_SSP);
    VALUE(HV_X64_REGISTER_PL1_SSP);
    VALUE(HV_X64_REGISTER_PL2_SSP);
    VALUE(HV_X64_REGISTER_PL3_SSP);
    VALUE(HV_X64_REGISTER_INTERRUPT_SSP_TABLE_ADDR);
    VALUE(HV_X64_REGISTER_TSC_ADJUST);
    VALUE(HV_X64_REGISTER_MSR_IA32_MISC_ENABLE);
    VALUE(HVMSG_NONE);
    VALUE(HVMSG_UNMAPPED_GPA);
    VALUE(HVMSG_GPA_INTERCEPT);
    VALUE(HVMSG_UNRECOVERABLE_EXCEPTION);
    VALUE(HVMSG_X64_IO_PORT_INTERCEPT);
    VALUE(HVMSG_X64_EXCEPTION_INTERCEPT);
    VALUE(HVMSG_X64_HALT);
    VALUE(HVMSG_X64_INTERRUPTION_DELIVERABLE);
    VALUE(HV_INTERCEPT_ACCESS_READ);
    VALUE(HV_INTERCEPT_ACCESS_WRITE);
    VALUE(HV_INTERCEPT_ACCESS_EXECUTE);
    BIT_VALUE(MSHV_SET_MEM_WRITABLE, MSHV_SET_MEM_BIT_WRITABLE);
    BIT_VALUE(MSHV_SET_MEM_EXECUTABLE, MSHV_SET_MEM_BIT_EXECUTABLE);
    BIT_VALUE(MSHV_SET_MEM_UNMAP, MSHV_SET_MEM_BIT_UNMAP);
    VALUE(MSHV_VP_STATE_XSAVE);
    BIT_VALUE(HV_X64_REGISTER_CLASS_GENERAL, HV_X64_REGISTER_CLASS_GENERAL);
    BIT_VALUE(HV_X64_REGISTER_CLASS_IP, HV_X64_REGISTER_CLASS_IP);
    BIT_VALUE(HV_X64_REGISTER_CLASS_FLAGS, HV_X64_REGISTER_CLASS_FLAGS);
    VALUE(MSHV_NUM_CPU_FEATURES_BANKS);
    BIT_VALUE(MSHV_PT_CPU_AND_XSAVE_FEATURES, MSHV_PT_BIT_CPU_AND_XSAVE_FEATURES);
    FEATURE(0, sse3_support);
    FEATURE(0, lahf_sahf_support);
    FEATURE(0, ssse3_support);
    FEATURE(0, sse4_1_support);
    FEATURE(0, sse4_2_support);
    FEATURE(0, sse4a_support);
    FEATURE(0, xop_support);
    FEATURE(0, pop_cnt_support);
    FEATURE(0, cmpxchg16b_support);
    FEATURE(0, altmovcr8_support);
    FEATURE(0, lzcnt_support);
    FEATURE(0, mis_align_sse_support);
    FEATURE(0, mmx_ext_support);
    FEATURE(0, amd3dnow_support);
    FEATURE(0, extended_amd3dnow_support);
    FEATURE(0, page_1gb_support);
    FEATURE(0, aes_support);
    FEATURE(0, pclmulqdq_support);
    FEATURE(0, pcid_support);
    FEATURE(0, fma4_support);
    FEATURE(0, f16c_support);
    FEATURE(0, rd_rand_support);
    FEATURE(0, rd_wr_fs_gs_support);
    FEATURE(0, smep_support);
    FEATURE(0, enhanced_fast_string_support);
    FEATURE(0, bmi1_support);
    FEATURE(0, bmi2_support);
    FEATURE(0, movbe_support);
    FEATURE(0, dep_x87_fpu_save_support);
    FEATURE(0, rd_seed_support);
    FEATURE(0, adx_support);
    FEATURE(0, intel_prefetch_support);
    FEATURE(0, smap_support);
    FEATURE(0, hle_support);
    FEATURE(0, rtm_support);
    FEATURE(0, rdtscp_support);
    FEATURE(0, clflushopt_support);
    FEATURE(0, clwb_support);
    FEATURE(0, sha_support);
    FEATURE(0, x87_pointers_saved_support);
    FEATURE(0, invpcid_support);
    FEATURE(0, ibrs_support);
    FEATURE(0, stibp_support);
    FEATURE(0, fast_short_rep_mov_support);
    FEATURE(0, rd_pid_support);
    FEATURE(0, umip_support);
    FEATURE(0, mb_clear_support);
    FEATURE(1, tsc_invariant_support);
    FEATURE(1, cl_zero_support);
    FEATURE(1, rdpru_support);
    FEATURE(1, la57_support);
    FEATURE(1, cet_ss_support);
    FEATURE(1, cet_ibt_support);
    FEATURE(1, enqcmd_support);
    FEATURE(1, umwait_tpause_support);
    FEATURE(1, movdiri_support);
    FEATURE(1, movdir64b_support);
    FEATURE(1, cldemote_support);
    FEATURE(1, serialize_support);
    FEATURE(1, tsc_deadline_tmr_support);
    FEATURE(1, tsc_adjust_support);
    FEATURE(1, fzl_rep_movsb);
    FEATURE(1, fs_rep_stosb);
    FEATURE(1, fs_rep_cmpsb);
    FEATURE(1, tsx_ld_trk_support);
    FEATURE(1, cmpccxadd_support);
    FEATURE(1, prefetch_i_support);
    FEATURE(1, sha512_support);
    FEATURE(1, sm3_support);
    FEATURE(1, sm4_support);
    XSAVE_FEATURE(xsave_support);
    XSAVE_FEATURE(xsaveopt_support);
    XSAVE_FEATURE(avx_support);
    XSAVE_FEATURE(avx2_support);
    XSAVE_FEATURE(fma_support);
    XSAVE_FEATURE(mpx_support);
    XSAVE_FEATURE(avx512_support);
    XSAVE_FEATURE(avx512_dq_support);
    XSAVE_FEATURE(avx512_cd_support);
    XSAVE_FEATURE(avx512_bw_support);
    XSAVE_FEATURE(avx512_vl_support);
    XSAVE_FEATURE(xsave_comp_support);
    XSAVE_FEATURE(xsave_supervisor_support);
    XSAVE_FEATURE(xcr1_support);
    XSAVE_FEATURE(avx512_bitalg_support);
    XSAVE_FEATURE(avx512_i_fma_support);
    XSAVE_FEATURE(avx512_v_bmi_support);
    XSAVE_FEATURE(avx512_v_bmi2_support);
    XSAVE_FEATURE(avx512_vnni_support);
    XSAVE_FEATURE(gfni_support);
    XSAVE_FEATURE(vaes_support);
    XSAVE_FEATURE(avx512_v_popcntdq_support);
    XSAVE_FEATURE(vpclmulqdq_support);
    XSAVE_FEATURE(avx512_bf16_support);
    XSAVE_FEATURE(avx512_vp2_intersect_support);
    XSAVE_FEATURE(avx512_fp16_support);
    XSAVE_FEATURE(xfd_support);
    XSAVE_FEATURE(amx_tile_support);
    XSAVE_FEATURE(amx_bf16_support);
    XSAVE_FEATURE(amx_int8_support);
    XSAVE_FEATURE(avx_vnni_support);
    XSAVE_FEATURE(avx_ifma_support);
    XSAVE_FEATURE(avx_ne_convert_support);
    XSAVE_FEATURE(avx_vnni_int8_support);
    XSAVE_FEATURE(avx_vnni_int16_support);
    XSAVE_FEATURE(avx10_1_256_support);
    XSAVE_FEATURE(avx10_1_512_support);
    XSAVE_FEATURE(amx_fp16_support);
    XSAVE_FEATURE(apx_support);
    return 0;
}
