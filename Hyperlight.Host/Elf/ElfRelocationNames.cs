namespace Hyperlight.Host.Elf;

/// <summary>The names of the relocation types of x86-64, for messages.</summary>
internal static class ElfRelocationNames
{
    private static readonly string[] Names =
    [
        "NONE", "64", "PC32", "GOT32", "PLT32", "COPY", "GLOB_DAT", "JUMP_SLOT", "RELATIVE", "GOTPCREL", "32", "32S", "16", "PC16", "8",
        "PC8", "DTPMOD64", "DTPOFF64", "TPOFF64", "TLSGD", "TLSLD", "DTPOFF32", "GOTTPOFF", "TPOFF32", "PC64", "GOTOFF64", "GOTPC32",
        "GOT64", "GOTPCREL64", "GOTPC64", "GOTPLT64", "PLTOFF64", "SIZE32", "SIZE64", "GOTPC32_TLSDESC", "TLSDESC_CALL", "TLSDESC",
        "IRELATIVE", "RELATIVE64",
    ];

    public static string Of(uint type) => type < Names.Length ? $"R_X86_64_{Names[type]} ({type})" : $"of the unknown type {type}";
}
