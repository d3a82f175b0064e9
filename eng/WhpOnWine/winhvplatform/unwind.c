// A mistake of Wine 8, mended in the process that loads this library. While RtlUnwindEx calls a handler, the thread's list of
// handlers has an entry for the call. The .NET runtime does not always return from such a call: it continues in the method that
// catches the exception. The entry then stays, in memory of the stack that is used for something else, and the next native
// exception ends the process. The entry is needed only for exceptions in handlers, so it is not put on the list any more.
#include <stdarg.h>
#include <windef.h>
#include <winbase.h>
#include <string.h>

#define SEARCHED_BYTES 0x1000
#define STORE_SIZE 3

// What Debian's build of Wine 8 does in RtlUnwindEx. The last instruction makes the entry the first of the list.
static const unsigned char code[] = {
    0x48, 0x89, 0x44, 0x24, 0x78, // mov [rsp+0x78], rax   the handler
    0x49, 0x8B, 0x02,             // mov rax, [r10]
    0x48, 0x89, 0x44, 0x24, 0x70, // mov [rsp+0x70], rax   the entry behind it
    0x4D, 0x89, 0x32,             // mov [r10], r14
};

static unsigned char *find_store(void)
{
    unsigned char *start = (unsigned char *)GetProcAddress(GetModuleHandleA("ntdll.dll"), "RtlUnwindEx");
    for (size_t i = 0; start && i < SEARCHED_BYTES; i++)
    {
        if (!memcmp(start + i, code, sizeof code))
            return start + i + sizeof code - STORE_SIZE;
    }
    return NULL;
}

// Another build of Wine, which may have the mistake or not, stays as it is.
static void keep_list_of_handlers(void)
{
    unsigned char *store = find_store();
    DWORD protection;
    if (store && VirtualProtect(store, STORE_SIZE, PAGE_EXECUTE_READWRITE, &protection))
    {
        memcpy(store, "\x0F\x1F\x00", STORE_SIZE); // nop
        VirtualProtect(store, STORE_SIZE, protection, &protection);
    }
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, void *reserved)
{
    if (reason == DLL_PROCESS_ATTACH)
        keep_list_of_handlers();
    return TRUE;
}
