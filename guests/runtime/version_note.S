// SPDX-License-Identifier: Apache-2.0
//
// The version of the host interface this guest was built for. A host compares
// it with its own and refuses a guest that differs.

    .section .note.hyperlight-version, "a", @note
    .balign 8
    .long 2f - 1f
    .long 4f - 3f
    .long 1
1:  .asciz "Hyperlight"
2:  .balign 8
3:  .asciz "0.15.0"
4:  .balign 8

    .section .note.GNU-stack, "", @progbits
