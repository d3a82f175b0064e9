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
    public const int SymSize = 24;
    public const int RelSize = 16;
    public const int RelaSize = 24;
    public const int RelrSize = 8;

    public const ushort PN_XNUM = 0xFFFF;

    public const uint PT_LOAD = 1;
    public const uint PT_DYNAMIC = 2;
    public const uint PT_TLS = 7;

    public const uint SHT_SYMTAB = 2;
    public const uint SHT_NOTE = 7;
    public const uint SHT_DYNSYM = 11;

    public const ushort SHN_UNDEF = 0;
    public const ushort SHN_LORESERVE = 0xFF00;
    public const ushort SHN_ABS = 0xFFF1;

    public const int STB_WEAK = 2;
    public const int STT_NOTYPE = 0;
    public const int STT_OBJECT = 1;
    public const int STT_FUNC = 2;
    public const int STT_TLS = 6;
    public const int STT_GNU_IFUNC = 10;

    public const long DT_NULL = 0;
    public const long DT_NEEDED = 1;
    public const long DT_PLTRELSZ = 2;
    public const long DT_STRTAB = 5;
    public const long DT_SYMTAB = 6;
    public const long DT_RELA = 7;
    public const long DT_RELASZ = 8;
    public const long DT_RELAENT = 9;
    public const long DT_STRSZ = 10;
    public const long DT_SYMENT = 11;
    public const long DT_REL = 17;
    public const long DT_RELSZ = 18;
    public const long DT_RELENT = 19;
    public const long DT_PLTREL = 20;
    public const long DT_JMPREL = 23;
    public const long DT_RELRSZ = 35;
    public const long DT_RELR = 36;
    public const long DT_RELRENT = 37;
    public const long DT_ANDROID_REL = 0x6000_000F;
    public const long DT_ANDROID_RELA = 0x6000_0011;
    public const long DT_ANDROID_RELR = 0x6FFF_E000;

    public const uint R_X86_64_NONE = 0;
    public const uint R_X86_64_64 = 1;
    public const uint R_X86_64_GLOB_DAT = 6;
    public const uint R_X86_64_JUMP_SLOT = 7;
    public const uint R_X86_64_RELATIVE = 8;
}
