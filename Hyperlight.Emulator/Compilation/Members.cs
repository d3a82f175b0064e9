using System.Reflection;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation;

/// <summary>The fields and methods that compiled code uses. Looked up once, and only where code is compiled.</summary>
internal static class Members
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;

    public static readonly FieldInfo State = Field(typeof(Processor).GetField("_state", Any));
    public static readonly FieldInfo Rip = Field(typeof(Processor).GetField("_rip", Any));
    public static readonly FieldInfo Executed = Field(typeof(Processor).GetField("_executed", Any));
    public static readonly FieldInfo CodeLimit = Field(typeof(Processor).GetField("_codeLimit", Any));
    public static readonly FieldInfo BlockEnd = Field(typeof(Processor).GetField("_blockEnd", Any));
    public static readonly FieldInfo Loaded = Field(typeof(Processor).GetField("_loaded", Any));
    public static readonly FieldInfo Tlb = Field(typeof(Processor).GetField("_tlb", Any));
    public static readonly FieldInfo TlbEntries = Field(typeof(Tlb).GetField("_entries", Any));
    public static readonly FieldInfo ReadTag = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.ReadTag), Any));
    public static readonly FieldInfo WriteTag = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.WriteTag), Any));
    public static readonly FieldInfo Page = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.Page), Any));
    public static readonly FieldInfo PageStart = Field(typeof(HostPage).GetField("_start", Any));

    public static readonly MethodInfo Load = Method(typeof(Processor).GetMethod("LoadForCode", Any));
    public static readonly MethodInfo LoadForStore = Method(typeof(Processor).GetMethod("LoadForStoreByCode", Any));
    public static readonly MethodInfo Store = Method(typeof(Processor).GetMethod("StoreByCode", Any));
    public static readonly MethodInfo Execute = Method(typeof(Processor).GetMethod("ExecuteForCode", Any));
    public static readonly MethodInfo SetFlags = Method(typeof(Processor).GetMethod("SetFlags", Any));
    public static readonly MethodInfo CarryOf = Method(typeof(Processor).GetMethod("CarryOf", Any));
    public static readonly MethodInfo Holds = Method(typeof(Processor).GetMethod("Holds", Any));
    public static readonly MethodInfo SetRotateFlags = Method(typeof(Processor).GetMethod("SetRotateFlags", Any));
    public static readonly MethodInfo SegmentBase = Method(typeof(Processor).GetMethod("SegmentBase", Any));
    public static readonly MethodInfo IsCanonical = Method(typeof(Processor).GetMethod("IsCanonical", Any));
    public static readonly MethodInfo MultiplyHigh = Method(typeof(Processor).GetMethod("MultiplyHigh", Any));
    public static readonly MethodInfo MultiplyHighSigned = Method(typeof(Processor).GetMethod("MultiplyHighSigned", Any));

    public static readonly MethodInfo ReverseEndianness = Method(typeof(System.Buffers.Binary.BinaryPrimitives)
        .GetMethod(nameof(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness), [typeof(ulong)]));

    private static FieldInfo Field(FieldInfo? field) =>
        field ?? throw new MissingFieldException("A field that compiled code uses was renamed.");

    private static MethodInfo Method(MethodInfo? method) =>
        method ?? throw new MissingMethodException("A method that compiled code uses was renamed.");
}
