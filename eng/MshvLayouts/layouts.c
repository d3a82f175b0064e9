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

int main(void)
{
    SIZE(mshv_create_partition);
    FIELD(mshv_create_partition, pt_flags);
    FIELD(mshv_create_partition, pt_isolation);
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
    return 0;
}
