// A small program for Windows that uses the platform as the driver does: the memory of a suspended process, one processor, exits
// by ports, memory and HLT, registers, the extended state, cancellation. Its argument is the executable file of that process.
#include <stdio.h>
#include <string.h>
#include <windows.h>
#include <winhvplatform.h>

#define MEMORY 0x10000
#define VIEW_GUARD 0x1000

static int failures;

static void check(const char *what, int holds)
{
    printf("%s: %s\n", holds ? "ok" : "FAILED", what);
    fflush(stdout);
    failures += !holds;
}

static void *function(const char *module, const char *name)
{
    void *result = (void *)GetProcAddress(LoadLibraryA(module), name);
    if (!result)
    {
        printf("FAILED: %s has no %s\n", module, name);
        exit(1);
    }
    return result;
}

#define USE(name) static typeof(name) *p_##name
USE(WHvGetCapability);
USE(WHvCreatePartition);
USE(WHvSetPartitionProperty);
USE(WHvSetupPartition);
USE(WHvDeletePartition);
USE(WHvCreateVirtualProcessor);
USE(WHvMapGpaRange);
USE(WHvMapGpaRange2);
USE(WHvUnmapGpaRange);
USE(WHvRunVirtualProcessor);
USE(WHvCancelRunVirtualProcessor);
USE(WHvGetVirtualProcessorRegisters);
USE(WHvSetVirtualProcessorRegisters);
USE(WHvGetVirtualProcessorXsaveState);
USE(WHvSetVirtualProcessorXsaveState);
static PVOID(WINAPI *p_MapViewOfFile3)(HANDLE, HANDLE, PVOID, ULONG64, SIZE_T, ULONG, ULONG, void *, ULONG);

static void load(void)
{
#define LOAD(name) p_##name = function("winhvplatform.dll", #name)
    LOAD(WHvGetCapability);
    LOAD(WHvCreatePartition);
    LOAD(WHvSetPartitionProperty);
    LOAD(WHvSetupPartition);
    LOAD(WHvDeletePartition);
    LOAD(WHvCreateVirtualProcessor);
    LOAD(WHvMapGpaRange);
    LOAD(WHvMapGpaRange2);
    LOAD(WHvUnmapGpaRange);
    LOAD(WHvRunVirtualProcessor);
    LOAD(WHvCancelRunVirtualProcessor);
    LOAD(WHvGetVirtualProcessorRegisters);
    LOAD(WHvSetVirtualProcessorRegisters);
    LOAD(WHvGetVirtualProcessorXsaveState);
    LOAD(WHvSetVirtualProcessorXsaveState);
    p_MapViewOfFile3 = function("kernelbase.dll", "MapViewOfFile3");
}

static WHV_PARTITION_HANDLE partition;

static UINT64 get(WHV_REGISTER_NAME name)
{
    WHV_REGISTER_VALUE value;
    check("a register is read", SUCCEEDED(p_WHvGetVirtualProcessorRegisters(partition, 0, &name, 1, &value)));
    return value.Reg64;
}

static void set(WHV_REGISTER_NAME name, UINT64 number)
{
    WHV_REGISTER_VALUE value = { .Reg64 = number };
    check("a register is written", SUCCEEDED(p_WHvSetVirtualProcessorRegisters(partition, 0, &name, 1, &value)));
}

static WHV_RUN_VP_EXIT_CONTEXT run(void)
{
    WHV_RUN_VP_EXIT_CONTEXT context = { 0 };
    HRESULT result = p_WHvRunVirtualProcessor(partition, 0, &context, sizeof context);
    if (FAILED(result))
        printf("WHvRunVirtualProcessor: %08lx\n", result);
    return context;
}

static void skip(const WHV_RUN_VP_EXIT_CONTEXT *context)
{
    set(WHvX64RegisterRip, context->VpContext.Rip + context->VpContext.InstructionLength);
}

static void create(void)
{
    UINT32 one = 1, written;
    BOOL present = FALSE;
    check("there is a hypervisor",
        SUCCEEDED(p_WHvGetCapability(WHvCapabilityCodeHypervisorPresent, &present, sizeof present, &written)) && present);
    check("a partition is created", SUCCEEDED(p_WHvCreatePartition(&partition)));
    check("it cannot be set up without a number of processors", FAILED(p_WHvSetupPartition(partition)));
    check("it takes their number",
        SUCCEEDED(p_WHvSetPartitionProperty(partition, WHvPartitionPropertyCodeProcessorCount, &one, sizeof one)));
    check("a processor needs a partition that is set up", FAILED(p_WHvCreateVirtualProcessor(partition, 0, 0)));
    check("it is set up", SUCCEEDED(p_WHvSetupPartition(partition)));
    check("it is set up once", FAILED(p_WHvSetupPartition(partition)));
    check("a processor is created", SUCCEEDED(p_WHvCreateVirtualProcessor(partition, 0, 0)));
}

static DWORD WINAPI cancel(void *unused)
{
    Sleep(300);
    p_WHvCancelRunVirtualProcessor(partition, 0, 0);
    return 0;
}

static void check_ports(unsigned char *host)
{
    static const unsigned char code[] = {
        0xB0, 0x42,             // mov al, 0x42
        0xE6, 0x6C,             // out 108, al
        0xE4, 0x10,             // in al, 0x10
        0xA2, 0x00, 0x20,       // mov [0x2000], al
        0xBA, 0x34, 0x12, 0xEE, // mov dx, 0x1234; out dx, al
        0xF4,                   // hlt
        0xEB, 0xFE,             // jmp $
    };
    memcpy(host + 0x1000, code, sizeof code);
    WHV_RUN_VP_EXIT_CONTEXT exit = run();
    check("OUT exits", exit.ExitReason == WHvRunVpExitReasonX64IoPortAccess && exit.IoPortAccess.PortNumber == 108
        && exit.IoPortAccess.AccessInfo.IsWrite && exit.IoPortAccess.AccessInfo.AccessSize == 1
        && (exit.IoPortAccess.Rax & 0xFF) == 0x42);
    check("RIP stays at it", exit.VpContext.Rip == 0x1002 && exit.VpContext.InstructionLength == 2 && get(WHvX64RegisterRip) == 0x1002);
    skip(&exit);
    exit = run();
    check("IN exits", exit.ExitReason == WHvRunVpExitReasonX64IoPortAccess && !exit.IoPortAccess.AccessInfo.IsWrite
        && exit.IoPortAccess.PortNumber == 0x10 && exit.VpContext.Rip == 0x1004);
    set(WHvX64RegisterRax, 0x77);
    skip(&exit);
    exit = run();
    check("OUT to the port in DX exits", exit.IoPortAccess.PortNumber == 0x1234 && exit.VpContext.InstructionLength == 1
        && exit.VpContext.Rip == 0x100C);
    check("what IN read is in the section", host[0x2000] == 0x77);
    skip(&exit);
    exit = run();
    check("HLT exits", exit.ExitReason == WHvRunVpExitReasonX64Halt);
}

static void check_cancellation(void)
{
    HANDLE thread = CreateThread(NULL, 0, cancel, NULL, 0, NULL);
    WHV_RUN_VP_EXIT_CONTEXT exit = run();
    check("a run is cancelled", exit.ExitReason == WHvRunVpExitReasonCanceled);
    WaitForSingleObject(thread, INFINITE);
    p_WHvCancelRunVirtualProcessor(partition, 0, 0);
    exit = run();
    check("a cancellation waits for the next run", exit.ExitReason == WHvRunVpExitReasonCanceled);
}

static void check_memory(unsigned char *host)
{
    static const unsigned char write[] = { 0x67, 0xC6, 0x05, 0x00, 0x00, 0x20, 0x00, 0x01, 0xF4 }; // mov byte [0x200000], 1
    memcpy(host + 0x3000, write, sizeof write);
    WHV_REGISTER_VALUE segment;
    WHV_REGISTER_NAME ds = WHvX64RegisterDs;
    p_WHvGetVirtualProcessorRegisters(partition, 0, &ds, 1, &segment);
    segment.Segment.Limit = 0xFFFFFFFF;
    segment.Segment.Granularity = 1;
    check("a segment is written", SUCCEEDED(p_WHvSetVirtualProcessorRegisters(partition, 0, &ds, 1, &segment)));
    set(WHvX64RegisterRip, 0x3000);
    WHV_RUN_VP_EXIT_CONTEXT exit = run();
    check("a write of unmapped memory exits", exit.ExitReason == WHvRunVpExitReasonMemoryAccess
        && exit.MemoryAccess.Gpa == 0x200000 && exit.MemoryAccess.AccessInfo.AccessType == WHvMemoryAccessWrite
        && exit.MemoryAccess.AccessInfo.GpaUnmapped);
    set(WHvX64RegisterRip, 0x8000000);
}

static void check_registers(void)
{
    WHV_REGISTER_NAME names[] = { WHvX64RegisterRax, 0x7000 };
    WHV_REGISTER_VALUE values[2];
    check("an unknown name fails the batch", FAILED(p_WHvGetVirtualProcessorRegisters(partition, 0, names, 2, values)));
    check("values must be aligned", FAILED(p_WHvGetVirtualProcessorRegisters(partition, 0, names, 1, (void *)((char *)values + 8))));
    WHV_REGISTER_NAME xmm = WHvX64RegisterXmm3;
    WHV_REGISTER_VALUE big = { .Reg128 = { .Low64 = 0x1122334455667788, .High64 = 0x99AABBCCDDEEFF00 } };
    check("an SSE register is written", SUCCEEDED(p_WHvSetVirtualProcessorRegisters(partition, 0, &xmm, 1, &big)));
    memset(values, 0, sizeof values);
    p_WHvGetVirtualProcessorRegisters(partition, 0, &xmm, 1, values);
    check("and read", !memcmp(values, &big, sizeof big));
    static unsigned char xsave[8192] __attribute__((aligned(64)));
    UINT32 size = 0;
    check("the extended state has a size",
        FAILED(p_WHvGetVirtualProcessorXsaveState(partition, 0, NULL, 0, &size)) && size >= 576 && size <= sizeof xsave);
    check("it is read", SUCCEEDED(p_WHvGetVirtualProcessorXsaveState(partition, 0, xsave, size, &size)));
    check("it has the SSE register, in compacted form", !memcmp(xsave + 160 + 3 * 16, &big, 16) && xsave[527] & 0x80);
    memset(xsave + 160, 0, 256);
    check("it is written", SUCCEEDED(p_WHvSetVirtualProcessorXsaveState(partition, 0, xsave, size)));
    p_WHvGetVirtualProcessorRegisters(partition, 0, &xmm, 1, values);
    check("the register is zero", !values[0].Reg128.Low64 && !values[0].Reg128.High64);
    set(WHvX64RegisterLstar, 0xFFFF800000001000);
    check("a model-specific register keeps its value", get(WHvX64RegisterLstar) == 0xFFFF800000001000);
}

int main(int count, char **arguments)
{
    STARTUPINFOA start = { .cb = sizeof start };
    PROCESS_INFORMATION process;
    DWORD old;
    if (count < 2)
        return 2;
    load();
    check("a suspended process starts",
        CreateProcessA(arguments[1], NULL, NULL, NULL, FALSE, CREATE_SUSPENDED, NULL, NULL, &start, &process));
    HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, MEMORY + 2 * VIEW_GUARD, NULL);
    unsigned char *host = MapViewOfFile(section, FILE_MAP_ALL_ACCESS, 0, 0, 0);
    unsigned char *remote = p_MapViewOfFile3(section, process.hProcess, NULL, 0, 0, 0, PAGE_READWRITE, NULL, 0);
    check("both have views", host && remote);
    VirtualProtectEx(process.hProcess, remote, VIEW_GUARD, PAGE_NOACCESS, &old);
    VirtualProtectEx(process.hProcess, remote + VIEW_GUARD + MEMORY, VIEW_GUARD, PAGE_NOACCESS, &old);
    host += VIEW_GUARD;
    remote += VIEW_GUARD;
    create();
    HRESULT result = p_WHvMapGpaRange2(partition, process.hProcess, remote, 0, MEMORY, 7);
    if (FAILED(result))
        printf("WHvMapGpaRange2: %08lx\n", result);
    check("the other process's memory is mapped", SUCCEEDED(result));
    set(WHvX64RegisterRip, 0x1000);
    WHV_REGISTER_NAME cs = WHvX64RegisterCs;
    WHV_REGISTER_VALUE segment;
    p_WHvGetVirtualProcessorRegisters(partition, 0, &cs, 1, &segment);
    segment.Segment.Base = 0;
    segment.Segment.Selector = 0;
    check("CS is written", SUCCEEDED(p_WHvSetVirtualProcessorRegisters(partition, 0, &cs, 1, &segment)));
    check_ports(host);
    check_cancellation();
    check_registers();
    check_memory(host);
    check("a range is unmapped", SUCCEEDED(p_WHvUnmapGpaRange(partition, 0, MEMORY)));
    check("and only once", FAILED(p_WHvUnmapGpaRange(partition, 0, MEMORY)));
    check("the partition is deleted", SUCCEEDED(p_WHvDeletePartition(partition)));
    TerminateProcess(process.hProcess, 0);
    return failures;
}
