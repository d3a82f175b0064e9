using System.Buffers.Binary;
using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>What a guest leaves in its buffers when it has finished: the call that left it reports it, and the next one works.</summary>
[TestFixture]
internal sealed class LeftoverTests : ScriptedSandboxTest
{
    private const int Size = GuestBuffers.DefaultSize;

    private static readonly ulong[] BadPointers = [0, 1, 7, Size + 1, uint.MaxValue, 1UL << 32, 1UL << 63, ulong.MaxValue];

    [Test]
    public void A_bad_stack_pointer_is_reported_by_the_call_that_left_it(
        [ValueSource(nameof(BadPointers))] ulong pointer, [Values(0, Size)] int buffer)
    {
        AnswerAndLeave(pointer, buffer);

        Assert.That(
            () => Sandbox.Call<int>("f"),
            Throws.TypeOf<GuestProtocolException>().With.Message.Contains($"0x{pointer:X}"));
        AssertUsable();
    }

    [Test]
    public void A_bad_stack_pointer_is_reported_by_a_call_without_a_result([ValueSource(nameof(BadPointers))] ulong pointer)
    {
        AnswerAndLeave(pointer, 0);

        Assert.That(() => Sandbox.Call("f"), Throws.TypeOf<GuestProtocolException>());
        AssertUsable();
    }

    [Test]
    public void A_bad_stack_pointer_after_the_initialisation_is_an_initialisation_failure(
        [ValueSource(nameof(BadPointers))] ulong pointer, [Values(0, Size)] int buffer)
    {
        var guest = new ScriptedMachine();
        guest.Initialise(look: () => BinaryPrimitives.WriteUInt64LittleEndian(guest.Scratch.GetSpan((nuint)buffer, 8), pointer));

        Assert.That(
            () => guest.Builder().Build(),
            Throws.TypeOf<GuestInitializationException>().With.InnerException.TypeOf<GuestProtocolException>());
        Assert.That(guest.AllReleased, Is.True);
    }

    [Test]
    public void Unread_messages_do_not_accumulate([Values(0, Size)] int buffer)
    {
        for (int i = 0; i < 8; i++)
        {
            // In the middle of the buffer. The result goes on top of what is left.
            Guest.Then(() =>
            {
                Guest.PopInput();
                SetPointer(Size / 2, buffer);
                Guest.PushOutput(GoldenVectors.IntResult);
                return ScriptedMachine.Halt;
            });

            Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
            Assert.That(BinaryPrimitives.ReadUInt64LittleEndian(Guest.Scratch.GetSpan((nuint)buffer, 8)), Is.EqualTo(8));
        }
    }

    [Test]
    public void A_call_that_failed_leaves_no_message_below_that_of_the_next()
    {
        // The guest neither takes the call nor answers it.
        Guest.Then(ScriptedMachine.Halt);
        Assert.That(() => Sandbox.Call<int>("f"), Throws.TypeOf<GuestProtocolException>());
        ulong left = 0;
        Guest.Then(() =>
        {
            Guest.PopInput();
            left = BinaryPrimitives.ReadUInt64LittleEndian(Guest.Scratch.GetSpan(0, 8));
            Guest.PushOutput(GoldenVectors.IntResult);
            return ScriptedMachine.Halt;
        });

        Assert.That(Sandbox.Call<int>("f"), Is.EqualTo(3));
        Assert.That(left, Is.EqualTo(8));
    }

    [Test]
    public void A_flush_that_a_call_did_not_reach_is_asked_for_by_the_next()
    {
        using Snapshot snapshot = Sandbox.TakeSnapshot();
        Sandbox.Restore(snapshot);
        using var source = new CancellationTokenSource();
        Guest.Machine.Setup(m => m.SetFpuRegisters(Moq.It.Ref<Hyperlight.Abstractions.FpuRegisters>.IsAny)).Callback(source.Cancel);
        Assert.That(() => Sandbox.Call<int>("f", [], source.Token), Throws.TypeOf<ExecutionCanceledException>());
        Guest.Answer(GoldenVectors.IntResult);

        Sandbox.Call<int>("f");

        Assert.That(Guest.RegistersSet[^1].Rflags & 0x40, Is.EqualTo(0x40), "the zero flag asks the guest to flush its TLB");
    }

    /// <summary>The guest answers and then changes the stack pointer of a buffer.</summary>
    private void AnswerAndLeave(ulong pointer, int buffer) => Guest.Then(() =>
    {
        Guest.PopInput();
        Guest.PushOutput(GoldenVectors.IntResult);
        SetPointer(pointer, buffer);
        return ScriptedMachine.Halt;
    });

    private void SetPointer(ulong pointer, int buffer) =>
        BinaryPrimitives.WriteUInt64LittleEndian(Guest.Scratch.GetSpan((nuint)buffer, 8), pointer);
}
