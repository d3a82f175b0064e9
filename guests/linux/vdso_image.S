// SPDX-License-Identifier: Apache-2.0

    .section .rodata.vdso, "a", @progbits
    .globl vdso_image
    .hidden vdso_image
    .globl vdso_image_end
    .hidden vdso_image_end
vdso_image:
    .incbin "vdso.so"
vdso_image_end:
    .if vdso_image_end - vdso_image > 4096
    .error "The vDSO is larger than a page."
    .endif

    .section .note.GNU-stack, "", @progbits
