namespace Hyperlight.Host.Elf;

/// <summary>Numbers of the ELF-64 format and its x86-64 supplement, under the names of elf.h.</summary>
internal static class ElfConstants
{
    public const byte ELFCLASS64 = 2;
    public const byte ELFDATA2LSB = 1;
    public const ushort ET_EXEC = 2;
    public const ushort ET_DYN = 3;
    public const ushort EM_X86_64 = 62;

    public const int EhdrSize = 64;
    public const int PhdrSize = 56;
    public const int ShdrSize = 64;
    public const int DynSize = 16;
    public const int RelSize = 16;
    public const int RelaSize = 24;

    public const uint PT_LOAD = 1;
    public const uint PT_DYNAMIC = 2;

    public const uint SHT_NOTE = 7;

    public const long DT_NULL = 0;
    public const long DT_RELA = 7;
    public const long DT_RELASZ = 8;
    public const long DT_RELAENT = 9;
    public const long DT_REL = 17;
    public const long DT_RELSZ = 18;

    public const uint R_X86_64_NONE = 0;
    public const uint R_X86_64_RELATIVE = 8;
}
