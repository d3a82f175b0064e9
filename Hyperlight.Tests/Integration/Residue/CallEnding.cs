namespace Hyperlight.Tests.Integration.Residue;

/// <summary>A way in which a call ends.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Call">Makes the call.</param>
/// <param name="Error">What it throws; <see langword="null"/> if it returns.</param>
/// <param name="NeedsCounter">Whether the machine has to count instructions.</param>
internal sealed record CallEnding(string Name, Action<MultiUseSandbox> Call, Type? Error = null, bool NeedsCounter = false)
{
    /// <summary>The host function that throws.</summary>
    public const string ThrowingFunction = "Throws";

    /// <summary>An address at which there is nothing.</summary>
    public const ulong Unmapped = 0x3_0000_0000;

    private const int UnknownPort = 0x1234;

    /// <summary>Every way.</summary>
    public static IReadOnlyList<CallEnding> All { get; } =
    [
        new("returns", static s => s.Call("ReturnNothing")),
        new("guest error", static s => s.Call("ReturnError", 11, "planted"), typeof(GuestErrorException)),
        new("unknown function", static s => s.Call("NoSuchFunction"), typeof(GuestErrorException)),
        new("result of another type", static s => s.Call<string>("Add", 1, 2), typeof(ReturnTypeMismatchException)),
        new("abort", static s => s.Call("AbortWithMessage", 77, "planted"), typeof(GuestAbortedException)),
        new("unfinished abort", static s => s.Call("AbortHalfway"), typeof(GuestProtocolException)),
        new("page fault", static s => s.Call("NullWrite"), typeof(GuestAbortedException)),
        new("invalid opcode", static s => s.Call("InvalidOpcode"), typeof(GuestAbortedException)),
        new("division by zero", static s => s.Call("DivideByZero"), typeof(GuestAbortedException)),
        new("stack overflow", static s => s.Call("StackOverflow"), typeof(GuestAbortedException)),
        new("out of memory", static s => s.Call("ExhaustHeap"), typeof(GuestAbortedException)),
        new("triple fault", static s => s.Call("TripleFault"), typeof(UnexpectedVmExitException)),
        new("cancelled", Cancel, typeof(ExecutionCanceledException)),
        new("timeout", TimeOut, typeof(OperationCanceledException)),
        new("halt without a result", static s => s.Call("HaltWithoutResult"), typeof(GuestProtocolException)),
        new("unknown port", static s => s.Call("OutPort", UnknownPort, 1UL), typeof(GuestProtocolException)),
        new("port read", static s => s.Call<uint>("InPort", UnknownPort), typeof(GuestProtocolException)),
        new("malformed host call", static s => s.Call("SendRawHostCall", new byte[] { 1, 2, 3 }), typeof(GuestProtocolException)),
        new("read of missing memory", static s => s.Call<ulong>("MapAndRead", Unmapped), typeof(MemoryAccessViolationException)),
        new("write of missing memory", static s => s.Call("MapAndWrite", Unmapped, 1UL), typeof(MemoryAccessViolationException)),
        new("write of the snapshot", static s => s.Call("WriteSnapshotPage"), typeof(MemoryAccessViolationException)),
        new("host function throws", static s => s.Call<int>("CallHostNamed", ThrowingFunction), typeof(HyperlightException)),
        new("instruction budget", static s => s.Call("SpinForever"), typeof(InstructionBudgetExhaustedException), NeedsCounter: true),
    ];

    /// <summary>Makes the call, and checks that it ends this way.</summary>
    public void Run(MultiUseSandbox sandbox)
    {
        if (Error is null)
        {
            Call(sandbox);
        }
        else
        {
            Assert.That(() => Call(sandbox), Throws.InstanceOf(Error));
        }
    }

    public override string ToString() => Name;

    private static void Cancel(MultiUseSandbox sandbox)
    {
        using var timer = new Timer(_ => sandbox.InterruptHandle.Cancel(), null, 20, 20);
        sandbox.Call("SpinForever");
    }

    private static void TimeOut(MultiUseSandbox sandbox)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromMilliseconds(20));
        sandbox.Call("SpinForever", [], limit.Token);
    }
}
