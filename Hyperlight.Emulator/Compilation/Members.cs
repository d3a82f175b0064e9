using System.Reflection;
using Hyperlight.Emulator.Cpu;
using Hyperlight.Emulator.Memory;

namespace Hyperlight.Emulator.Compilation;

/// <summary>The fields and methods that compiled code uses. Looked up once, and only where code is compiled.</summary>
internal static class Members
{
    private const BindingFlags Any = BindingFlags.Instance | BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;

    public static readonly FieldInfo State = Field(typeof(CodeSupport).GetField(nameof(CodeSupport.State)));
    public static readonly FieldInfo Rip = Field(typeof(ProcessorState).GetField(nameof(ProcessorState.Rip)));
    public static readonly FieldInfo Executed = Field(typeof(ProcessorState).GetField(nameof(ProcessorState.Executed)));
    public static readonly FieldInfo CodeLimit = Field(typeof(ProcessorState).GetField(nameof(ProcessorState.CodeLimit)));
    public static readonly FieldInfo BlockEnd = Field(typeof(ProcessorState).GetField(nameof(ProcessorState.BlockEnd)));
    public static readonly FieldInfo Loaded = Field(typeof(CodeSupport).GetField(nameof(CodeSupport.Loaded)));
    public static readonly FieldInfo Tlb = Field(typeof(CodeSupport).GetField(nameof(CodeSupport.Tlb)));
    public static readonly FieldInfo TlbEntries = Field(typeof(Tlb).GetField("_entries", Any));
    public static readonly FieldInfo ReadTag = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.ReadTag), Any));
    public static readonly FieldInfo WriteTag = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.WriteTag), Any));
    public static readonly FieldInfo Page = Field(typeof(TlbEntry).GetField(nameof(TlbEntry.Page), Any));
    public static readonly FieldInfo PageStart = Field(typeof(HostPage).GetField("_start", Any));

    public static readonly MethodInfo Load = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.Load)));
    public static readonly MethodInfo LoadForStore = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.LoadForStore)));
    public static readonly MethodInfo Store = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.Store)));
    public static readonly MethodInfo Execute = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.Execute)));
    public static readonly MethodInfo SetFlags = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.SetFlags)));
    public static readonly MethodInfo CarryOf = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.CarryOf)));
    public static readonly MethodInfo Holds = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.Holds)));
    public static readonly MethodInfo SetRotateFlags = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.SetRotateFlags)));
    public static readonly MethodInfo SegmentBase = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.SegmentBase)));
    public static readonly MethodInfo IsCanonical = Method(typeof(LinearAddress).GetMethod(nameof(LinearAddress.IsCanonical)));
    public static readonly MethodInfo MultiplyHigh = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.MultiplyHigh)));
    public static readonly MethodInfo MultiplyHighSigned = Method(typeof(CodeSupport).GetMethod(nameof(CodeSupport.MultiplyHighSigned)));

    public static readonly MethodInfo ReverseEndianness = Method(typeof(System.Buffers.Binary.BinaryPrimitives)
        .GetMethod(nameof(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness), [typeof(ulong)]));

    private static FieldInfo Field(FieldInfo? field) =>
        field ?? throw new MissingFieldException("A field that compiled code uses was renamed.");

    private static MethodInfo Method(MethodInfo? method) =>
        method ?? throw new MissingMethodException("A method that compiled code uses was renamed.");
}
