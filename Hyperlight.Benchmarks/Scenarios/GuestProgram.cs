namespace Hyperlight.Benchmarks.Scenarios;

/// <summary>Programs of the benchmark guest, of the kinds that guests run; the numbers are the guest's.</summary>
internal enum GuestProgram
{
    /// <summary>An interpreter of byte code with tagged values, calls and a table.</summary>
    Bytecode,

    /// <summary>A B-tree with text keys, and queries that are parsed and evaluated for each row.</summary>
    Sql,

    /// <summary>A text is compressed by references to what came before, and decompressed.</summary>
    Lz,

    /// <summary>A document is written as JSON and parsed.</summary>
    Json,

    /// <summary>SHA-256 of 8 KiB.</summary>
    Sha256,

    /// <summary>A product of matrices in vector registers.</summary>
    Matrix,

    /// <summary>Numbers are sorted in place, and texts through pointers.</summary>
    Sort,

    /// <summary>Copies of 7 bytes to 64 KiB.</summary>
    Memcpy,
}
