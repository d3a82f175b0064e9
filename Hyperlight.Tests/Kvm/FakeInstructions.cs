namespace Hyperlight.Tests.Kvm;

/// <summary>Every shape of instruction that can leave an access unfinished: what it accesses, how wide, where, how often.</summary>
internal static class FakeInstructions
{
    private static readonly FakeAccess[][] Shapes =
    [
        [FakeAccess.Read],
        [FakeAccess.Write],
        [FakeAccess.Read, FakeAccess.Write],
        [FakeAccess.Read, FakeAccess.Read],
        [FakeAccess.Read, FakeAccess.Read, FakeAccess.Write],
        [FakeAccess.In],
        [FakeAccess.In, FakeAccess.Write],
        [FakeAccess.Out],
        [FakeAccess.Read, FakeAccess.Out],
    ];

    /// <summary>What a read of memory finds, which the next tenant must not see.</summary>
    public const ulong Secret = 0x5EC2_E75E_C2E7_5EC2;

    /// <summary>All of them.</summary>
    public static IEnumerable<FakeInstruction> All =>
        from shape in Shapes
        let usesPort = shape.Any(static access => access is FakeAccess.In or FakeAccess.Out)
        from size in usesPort ? [1u, 2, 4] : new uint[] { 1, 2, 4, 8, 16, 32, 64 }
        from places in Enumerable.Range(0, 1 << shape.Length)
        where places != 0 || usesPort
        from isRepeated in new[] { false, true }
        from isBackwards in isRepeated ? [false, true] : new[] { false }
        select new FakeInstruction([.. shape.Select((access, i) => new FakeOperand(access, (places >> i & 1) != 0, size, Secret))])
        {
            IsRepeated = isRepeated,
            IsBackwards = isBackwards,
        };
}
