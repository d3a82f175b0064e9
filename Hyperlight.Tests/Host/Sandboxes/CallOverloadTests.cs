using Hyperlight.Tests.Host.Wire;

namespace Hyperlight.Tests.Host.Sandboxes;

/// <summary>
/// The ways to write a call. That this compiles is half of the test: no overload is ambiguous. The other half is that each
/// way sends the same message.
/// </summary>
[TestFixture]
internal sealed class CallOverloadTests : ScriptedSandboxTest
{
    private static readonly TimeSpan Limit = TimeSpan.FromHours(1);

    [Test]
    public void Each_way_to_pass_two_numbers_sends_the_same_message()
    {
        GuestValue[] array = [1, 2];
        Action[] ways =
        [
            () => Sandbox.Call<int>("Add", 1, 2),
            () => Sandbox.Call<int>("Add", [1, 2]),
            () => Sandbox.Call<int>("Add", array),
            () => Sandbox.Call<int>("Add", array.AsSpan()),
            () => Sandbox.Call<int>("Add", [1, 2], CancellationToken.None),
            () => Sandbox.Call<int>("Add", array, CancellationToken.None),
            () => Sandbox.Call<int>("Add", [1, 2], Limit),
            () => Sandbox.Call<int>("Add", [1, 2], Limit, CancellationToken.None),
            () => Sandbox.Call<int>("Add", arguments: [1, 2], timeout: Limit),
            () => Sandbox.Call<int>("Add", arguments: [1, 2], cancellationToken: CancellationToken.None),
        ];

        foreach (Action way in ways)
        {
            Assert.That(MessageOf(way), Is.EqualTo(GoldenVectors.AddCall));
        }
    }

    [Test]
    public void Each_way_to_get_bytes_into_memory_sends_the_same_message()
    {
        byte[] array = new byte[4];
        ISandbox mockable = Sandbox;
        Action[] ways =
        [
            () => Sandbox.CallInto("f", array, 1, "text"),
            () => Sandbox.CallInto("f", stackalloc byte[4], 1, "text"),
            () => Sandbox.CallInto("f", array.AsSpan(1), [1, "text"], CancellationToken.None),
            () => Sandbox.CallInto("f", array, [1, "text"], Limit),
            () => mockable.CallInto("f", array, 1, "text"),
            () => mockable.CallInto("f", array, [1, "text"], CancellationToken.None),
            () => mockable.CallInto("f", array.AsMemory(1), [1, "text"], Limit),
        ];
        byte[] expected = WireMessages.EncodeCall("f", [1, "text"], GuestValueType.Bytes);

        foreach (Action way in ways)
        {
            Assert.That(MessageOf(way), Is.EqualTo(expected));
        }
    }

    [Test]
    public void Text_bytes_and_nothing_are_arguments_in_each_way()
    {
        byte[] bytes = [1, 2, 3];
        ReadOnlyMemory<byte> memory = bytes;
        Action[][] same =
        [
            [() => Sandbox.Call("f"), () => Sandbox.Call("f", []), () => Sandbox.Call("f", default, default(CancellationToken)), () => Sandbox.Call("f", [], Limit)],
            [() => Sandbox.Call("f", "text"), () => Sandbox.Call("f", ["text"]), () => Sandbox.Call("f", ["text"], CancellationToken.None), () => Sandbox.Call("f", ["text"], Limit)],
            [() => Sandbox.Call("f", bytes), () => Sandbox.Call("f", [bytes]), () => Sandbox.Call("f", memory), () => Sandbox.Call("f", [bytes], CancellationToken.None), () => Sandbox.Call("f", [memory], Limit, default)],
            [() => Sandbox.Call("f", 1L, true, 2.5), () => Sandbox.Call("f", [1L, true, 2.5], CancellationToken.None)],
            [() => Sandbox.Call("f", "a", bytes), () => Sandbox.Call("f", ["a", bytes], Limit)],
        ];

        foreach (Action[] ways in same)
        {
            byte[] first = MessageOf(ways[0]);
            foreach (Action way in ways[1..])
            {
                Assert.That(MessageOf(way), Is.EqualTo(first));
            }
        }
    }

    private byte[] MessageOf(Action call)
    {
        byte[] message = [];
        Guest.Then(() =>
        {
            message = Guest.PopInput();
            Guest.PushOutput(GoldenVectors.ErrorResult);
            return ScriptedMachine.Halt;
        });
        Assert.That(() => call(), Throws.TypeOf<GuestErrorException>());
        return message;
    }
}
