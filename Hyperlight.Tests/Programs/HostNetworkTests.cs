using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Hyperlight.Programs;
using Hyperlight.Programs.Network;
using Hyperlight.Tests.Integration.Programs;

namespace Hyperlight.Tests.Programs;

/// <summary>The host function for connections, as a kernel calls it.</summary>
internal sealed class HostNetworkTests
{
    private const int Again = -11;
    private const int NoAccess = -13;
    private const int InvalidArgument = -22;
    private const int BrokenPipe = -32;
    private const int ConnectionReset = -104;
    private const int TimedOut = -110;
    private const int HostUnreachable = -113;
    private const SocketEvents Ready = SocketEvents.Connected | SocketEvents.Output;

    [Test]
    public async Task A_name_is_resolved_once_and_its_checked_address_is_connected_to()
    {
        await using var server = new TestServer(TestServer.Echo);
        var names = new List<string>();
        await using var network = new HostNetwork(new ProgramNetwork
        {
            AllowedHosts = [$"name.test:{server.Port}", $"127.0.0.1:{server.Port}"],
            Resolve = (name, _) =>
            {
                // A second answer would be another address.
                names.Add(name);
                return Task.FromResult<IPAddress[]>([names.Count == 1 ? IPAddress.Loopback : IPAddress.Parse("127.0.0.9")]);
            },
        });

        int handle = await ConnectAsync(network, "198.18.0.1", server.Port);

        Assert.That(await WaitAsync(network, handle, SocketEvents.None), Is.EqualTo(Ready));
        Assert.That(names, Is.EqualTo(new[] { "name.test" }));
        await server.HasClientsAsync(1);
    }

    [TestCase("127.0.0.1")]
    [TestCase("::1")]
    [TestCase("::ffff:127.0.0.1")]
    [TestCase("10.0.0.1")]
    [TestCase("169.254.169.254")]
    [TestCase("fd00::1")]
    public async Task A_name_does_not_lead_to_a_special_address_that_is_not_allowed_itself(string address)
    {
        await using var server = new TestServer(TestServer.Echo);

        // The address is allowed, but with another port.
        string other = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
        await using var network = new HostNetwork(new ProgramNetwork
        {
            AllowedHosts = [$"name.test:{server.Port}", $"{other}:{server.Port ^ 1}"],
            Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Parse(address)]),
        });

        int handle = await ConnectAsync(network, "198.18.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);

        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.EqualTo(NoAccess));
        Assert.That(server.Clients, Is.Zero);
    }

    [Test]
    public async Task A_name_that_is_not_found_or_does_not_answer_has_an_error([Values] bool isSlow)
    {
        await using var network = new HostNetwork(new ProgramNetwork
        {
            AllowedHosts = ["name.test:80"],
            ConnectTimeout = isSlow ? TimeSpan.FromMilliseconds(100) : TestTime.Patience,
            Resolve = async (_, token) =>
            {
                await Task.Delay(isSlow ? Timeout.Infinite : 1, token);
                throw new SocketException((int)SocketError.HostNotFound);
            },
        });

        int handle = await ConnectAsync(network, "198.18.0.1", 80);
        SocketEvents events = await WaitAsync(network, handle, SocketEvents.None);

        Assert.That(events.HasFlag(SocketEvents.Error | SocketEvents.HangUp) && !events.HasFlag(SocketEvents.Connected));
        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.EqualTo(isSlow ? TimedOut : HostUnreachable));
        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.Zero);
        Assert.That((await CallAsync(network, HostNetwork.Step.Send, handle, bytes: [1])).Result, Is.EqualTo(BrokenPipe));
        Assert.That((await CallAsync(network, HostNetwork.Step.Receive, handle, 1)).Result, Is.Zero);
    }

    /// <summary>The operating system's lookup cannot be cancelled.</summary>
    [Test]
    public async Task A_lookup_that_does_not_end_delays_nothing()
    {
        using var end = new ManualResetEventSlim();
        int lookups = 0;
        var network = new HostNetwork(new ProgramNetwork
        {
            AllowedHosts = ["name.test:80"],
            Resolve = (_, _) =>
            {
                Interlocked.Increment(ref lookups);
                end.Wait(CancellationToken.None);
                return Task.FromResult<IPAddress[]>([]);
            },
        })
        {
            CloseTime = Timeout.InfiniteTimeSpan,
        };
        try
        {
            for (int i = 0; i < 20; i++)
            {
                int handle = await ConnectAsync(network, "198.18.0.1", 80);
                if (i % 2 == 0)
                {
                    Assert.That((await CallAsync(network, HostNetwork.Step.Close, handle)).Result, Is.Zero);
                }
            }

            await network.CloseAsync(CancellationToken.None).WaitAsync(TestTime.Patience);
            await network.DisposeAsync().AsTask().WaitAsync(TestTime.Patience);
            Assert.That(lookups, Is.InRange(0, 4), "at a time");
        }
        finally
        {
            end.Set();
        }
    }

    [Test]
    public async Task A_name_does_not_lead_to_the_host()
    {
        await using var server = new TestServer(TestServer.Echo);
        Assert.That(OwnAddress.Is(IPAddress.Loopback), Is.True);
        Assert.That(OwnAddress.Is(IPAddress.Parse("8.8.8.8")), Is.False);
        await using var network = new HostNetwork(new ProgramNetwork
        {
            AllowedHosts = [$"name.test:{server.Port}"],
            Resolve = (_, _) => Task.FromResult<IPAddress[]>([IPAddress.Loopback]),
        });

        int handle = await ConnectAsync(network, "198.18.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);

        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.EqualTo(NoAccess));
    }

    /// <summary>Connecting to it needs a permission: whether it is the host's cannot be found out.</summary>
    [Test]
    public void An_address_that_cannot_be_examined_counts_as_one_of_the_host() => Assert.That(OwnAddress.Is(IPAddress.Broadcast), Is.True);

    [Test]
    public async Task What_a_program_does_not_take_stays_with_the_other_side()
    {
        long sent = 0;
        await using var server = new TestServer(async (socket, token) =>
        {
            while (true)
            {
                int count = await socket.SendAsync(new byte[10_000], token);
                Interlocked.Add(ref sent, count);
            }
        });
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);
        await UntilAsync(async () => (await CallAsync(network, HostNetwork.Step.Available, handle)).Result == 0x1_0000);
        long before;
        do
        {
            before = Interlocked.Read(ref sent);
            await Task.Delay(300);
        }
        while (Interlocked.Read(ref sent) != before);

        Assert.That((await CallAsync(network, HostNetwork.Step.Available, handle)).Result, Is.EqualTo(0x1_0000));

        long taken = 0;
        while (taken <= before)
        {
            (int result, SocketEvents events, _) = await CallAsync(network, HostNetwork.Step.Receive, handle, 0x4000);
            taken += Math.Max(result, 0);
            if (result == Again)
            {
                await WaitAsync(network, handle, events);
            }
        }

        // The other side counts what it has sent after it was received.
        await UntilAsync(() => Task.FromResult(Interlocked.Read(ref sent) > before));
    }

    [Test]
    public async Task What_the_other_side_does_not_take_stays_with_the_program()
    {
        await using var server = new TestServer(TestServer.Ignore);
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);
        SocketEvents events;
        int result;
        do
        {
            (result, events, _) = await CallAsync(network, HostNetwork.Step.Send, handle, bytes: new byte[100_000]);
            if (result == Again)
            {
                events = await WaitAsync(network, handle, events, TimeSpan.FromMilliseconds(500));
            }
            else
            {
                Assert.That(result, Is.EqualTo(KernelMachine.MostBytes));
            }
        }
        while (events.HasFlag(SocketEvents.Output) || result != Again);

        // Neither what waits for the other side, nor the connection, delays the end of a run.
        await network.DisposeAsync().AsTask().WaitAsync(TestTime.Patience);
    }

    [Test]
    public async Task An_end_without_failure_waits_for_what_is_sent_and_not_for_ever([Values] bool isRead)
    {
        var isClosing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new TestServer(async (socket, token) =>
        {
            await isClosing.Task.WaitAsync(token);
            return await TestServer.Sink(socket, token);
        });
        await using var network = new HostNetwork(Allow(server.Port))
        {
            CloseTime = isRead ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(500),
        };
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);
        long total = 0;
        SocketEvents events;
        do
        {
            (int result, events, _) = await CallAsync(network, HostNetwork.Step.Send, handle, bytes: new byte[KernelMachine.MostBytes]);
            total += Math.Max(result, 0);
        }
        while (events.HasFlag(SocketEvents.Output));

        Task close = network.CloseAsync(CancellationToken.None);
        if (isRead)
        {
            await Task.Delay(500);
            isClosing.SetResult();
        }

        await close.WaitAsync(TestTime.Patience);
        await network.DisposeAsync().AsTask().WaitAsync(TestTime.Patience);

        if (isRead)
        {
            Assert.That(await server.ReceivedAsync(), Is.EqualTo(total));
        }
    }

    [Test]
    public async Task Events_are_waited_for()
    {
        var release = new TaskCompletionSource();
        await using var server = new TestServer(async (socket, token) =>
        {
            await release.Task.WaitAsync(token);
            await socket.SendAsync(new byte[3], token);
            return 0;
        });
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitAsync(network, handle, SocketEvents.None);

        long start = Stopwatch.GetTimestamp();
        Assert.That(await WaitAsync(network, handle, Ready, TimeSpan.FromMilliseconds(50)), Is.EqualTo(Ready));
        Assert.That(Stopwatch.GetElapsedTime(start), Is.GreaterThanOrEqualTo(TimeSpan.FromMilliseconds(50)));
        Task<SocketEvents> wait = WaitAsync(network, handle, Ready);
        Assert.That(wait.IsCompleted, Is.False);
        release.SetResult();
        Assert.That((await wait).HasFlag(Ready | SocketEvents.Input));
        Assert.That((await CallAsync(network, HostNetwork.Step.Peek, handle, 2)).Result, Is.EqualTo(2));
        Assert.That((await CallAsync(network, HostNetwork.Step.Receive, handle, 9)).Result, Is.EqualTo(3));
    }

    [Test]
    public async Task More_bytes_are_an_event_while_others_are_not_received()
    {
        using var more = new SemaphoreSlim(0);
        await using var server = new TestServer(async (socket, token) =>
        {
            while (true)
            {
                await socket.SendAsync(new byte[3], token);
                await more.WaitAsync(token);
            }
        });
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        SocketEvents events = await WaitForAsync(network, handle, SocketEvents.Input);

        for (int i = 1; i < 5; i++)
        {
            // Nothing has arrived: they stay as they are.
            Assert.That(await WaitAsync(network, handle, events, TimeSpan.FromMilliseconds(20)), Is.EqualTo(events));

            more.Release();
            SocketEvents now = await WaitAsync(network, handle, events, TestTime.Patience);

            Assert.That(now, Is.Not.EqualTo(events));
            Assert.That(now & SocketEvents.OfPoll, Is.EqualTo(events & SocketEvents.OfPoll));
            Assert.That((await CallAsync(network, HostNetwork.Step.Available, handle)).Result, Is.EqualTo(3 + (3 * i)));
            events = now;
        }
    }

    /// <summary>The other side sends no more, so that nothing is received, and resets the connection then.</summary>
    [Test]
    public async Task Sending_to_a_connection_that_was_reset_is_an_error()
    {
        var release = new TaskCompletionSource();
        await using TestServer server = ResetAfterEnd(release.Task);
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitForAsync(network, handle, SocketEvents.InputEnd);

        release.SetResult();
        await server.ReceivedAsync();

        // A busy system sends until it has processed the reset.
        int result = 0;
        await UntilAsync(async () => (result = (await CallAsync(network, HostNetwork.Step.Send, handle, bytes: [1])).Result) is not (1 or Again));

        Assert.That(result, Is.AnyOf(BrokenPipe, ConnectionReset));
        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.Zero, "It was told.");
        Assert.That((await CallAsync(network, HostNetwork.Step.Send, handle, bytes: [1])).Result, Is.EqualTo(BrokenPipe));
    }

    [Test]
    public async Task The_end_of_what_is_received_comes_before_an_error_of_sending()
    {
        var release = new TaskCompletionSource();
        await using TestServer server = ResetAfterEnd(release.Task);
        await using var network = new HostNetwork(Allow(server.Port));
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitForAsync(network, handle, SocketEvents.InputEnd);

        // Until a part is on its way that the other side does not take.
        SocketEvents events;
        do
        {
            (_, events, _) = await CallAsync(network, HostNetwork.Step.Send, handle, bytes: new byte[KernelMachine.MostBytes]);
            events = events.HasFlag(SocketEvents.Output) ? events : await WaitAsync(network, handle, events, TimeSpan.FromSeconds(5));
        }
        while (events.HasFlag(SocketEvents.Output));

        release.SetResult();
        await WaitForAsync(network, handle, SocketEvents.Error);

        Assert.That((await CallAsync(network, HostNetwork.Step.Receive, handle, 100)).Result, Is.Zero);
        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.AnyOf(BrokenPipe, ConnectionReset));
        Assert.That((await CallAsync(network, HostNetwork.Step.Error, handle)).Result, Is.Zero);
    }

    /// <summary>The other side has sent its end, so that nothing of the connection is received any more.</summary>
    [Test]
    public async Task A_half_closed_connection_that_exceeds_the_bytes_of_its_run_is_reset()
    {
        await using var server = new TestServer(static async (socket, token) =>
        {
            socket.Shutdown(SocketShutdown.Send);
            return await TestServer.Sink(socket, token);
        });
        await using var network = new HostNetwork(Allow(server.Port) with { MaximumBytes = 1000 });
        int handle = await ConnectAsync(network, "127.0.0.1", server.Port);
        await WaitForAsync(network, handle, SocketEvents.InputEnd);

        await CallAsync(network, HostNetwork.Step.Send, handle, bytes: new byte[2000]);

        await Assert.ThatAsync(server.ReceivedAsync, Throws.InstanceOf<SocketException>());
    }

    [Test]
    public async Task A_wait_ends_with_its_run()
    {
        await using var network = new HostNetwork(Allow(80));
        using var source = new CancellationTokenSource();
        await using var input = new StandardInput(default, null, network.Changes, new StreamFailure(source));
        Task<ReadOnlyMemory<byte>> wait = new HostWait(input, network).AnswerAsync(long.MaxValue, forInput: false, [], source.Token).AsTask();
        await source.CancelAsync();

        await Assert.ThatAsync(async () => await wait, Throws.InstanceOf<OperationCanceledException>());
    }

    [Test]
    public async Task Random_calls_of_a_hostile_kernel_have_answers([Range(1, 3)] int seed)
    {
        await using var server = new TestServer(TestServer.Echo);
        var random = new Random(seed);
        await using (var network = new HostNetwork(Allow(server.Port) with { MaximumConnections = 5 }))
        {
            // However slow the machine is, there is a connection.
            await ConnectAsync(network, "127.0.0.1", server.Port);
            await server.Connected.WaitAsync(TestTime.Patience);
            for (int i = 0; i < 3000; i++)
            {
                int step = random.Next(8) == 0 ? random.Next(int.MinValue, int.MaxValue) : random.Next(-1, 11);
                int handle = random.Next(8) == 0 ? random.Next(int.MinValue, int.MaxValue) : random.Next(-1, 10);
                long value = random.Next(4) switch
                {
                    0 => random.NextInt64(long.MinValue, long.MaxValue),
                    1 => random.Next(-1, 5),
                    2 => random.Next(0x8000),
                    _ => 0,
                };
                byte[] bytes = random.Next(3) == 0 ? Address("127.0.0.1", server.Port) : new byte[random.Next(4) == 0 ? random.Next(200_000) : random.Next(40)];
                if (random.Next(3) == 0)
                {
                    random.NextBytes(bytes.AsSpan(random.Next(bytes.Length + 1)));
                }

                ReadOnlyMemory<byte> answer = await network.AnswerAsync(step, handle, value, bytes, CancellationToken.None).AsTask().WaitAsync(TestTime.Patience);
                Assert.That(answer.Length, Is.LessThanOrEqualTo(Math.Max(KernelMachine.MostBytes + 8, bytes.Length)));
            }
        }

        // No socket is left: the server's have all ended.
        await server.EndedAsync();
        Assert.That(server.Clients, Is.GreaterThan(0));
    }

    [Test]
    public async Task Without_a_connection_every_step_is_refused([Values] HostNetwork.Step step)
    {
        await using var network = new HostNetwork(null);
        SocketCall call = await CallAsync(network, step, 0, bytes: step == HostNetwork.Step.Connect ? Address("127.0.0.1", 80) : []);

        Assert.That(call.Result, Is.EqualTo(step switch
        {
            HostNetwork.Step.Query => 0,
            HostNetwork.Step.Connect => NoAccess,
            _ => InvalidArgument,
        }));
    }

    private static ProgramNetwork Allow(int port) => new() { AllowedHosts = [$"127.0.0.1:{port}"] };

    /// <summary>A server that sends its end, and resets the connection when a task has ended.</summary>
    private static TestServer ResetAfterEnd(Task reset) => new(async (socket, token) =>
    {
        socket.Shutdown(SocketShutdown.Send);
        await reset.WaitAsync(token);
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        return 0;
    });

    private static byte[] Address(string address, int port)
    {
        var bytes = new byte[16];
        bytes[0] = 2;
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), (ushort)port);
        IPAddress.Parse(address).GetAddressBytes().CopyTo(bytes, 4);
        return bytes;
    }

    private static async Task<int> ConnectAsync(HostNetwork network, string address, int port)
    {
        SocketCall call = await CallAsync(network, HostNetwork.Step.Connect, -1, bytes: Address(address, port));
        Assert.That(call.Result, Is.Not.Negative);
        return call.Result;
    }

    /// <summary>Waits until the events of a connection are others.</summary>
    private static async Task<SocketEvents> WaitAsync(HostNetwork network, int handle, SocketEvents known, TimeSpan? time = null)
    {
        var wanted = new byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(wanted, handle);
        BinaryPrimitives.WriteInt32LittleEndian(wanted.AsSpan(4), (int)known);
        long nanoseconds = (time ?? TestTime.Patience).Ticks * 100;
        using var end = new CancellationTokenSource();
        await using var input = new StandardInput(default, null, network.Changes, new StreamFailure(end));
        ReadOnlyMemory<byte> answer = await new HostWait(input, network).AnswerAsync(nanoseconds, forInput: false, wanted, CancellationToken.None);
        return (SocketEvents)BinaryPrimitives.ReadInt32LittleEndian(answer.Span[sizeof(int)..]);
    }

    /// <summary>Waits until all of some events hold.</summary>
    private static async Task<SocketEvents> WaitForAsync(HostNetwork network, int handle, SocketEvents wanted)
    {
        long start = Stopwatch.GetTimestamp();
        SocketEvents events = SocketEvents.None;
        while (!events.HasFlag(wanted))
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TestTime.Patience));
            events = await WaitAsync(network, handle, events, TestTime.Patience);
        }

        return events;
    }

    /// <summary>Waits until something holds.</summary>
    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        long start = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            Assert.That(Stopwatch.GetElapsedTime(start), Is.LessThan(TestTime.Patience));
            await Task.Delay(10);
        }
    }

    private static async Task<SocketCall> CallAsync(HostNetwork network, HostNetwork.Step step, int handle, long value = 0, byte[]? bytes = null)
    {
        ReadOnlyMemory<byte> answer = await network.AnswerAsync((int)step, handle, value, bytes ?? [], CancellationToken.None);
        return answer.Length < 8
            ? new SocketCall(0, SocketEvents.None, answer.ToArray())
            : new SocketCall(
                BinaryPrimitives.ReadInt32LittleEndian(answer.Span), (SocketEvents)BinaryPrimitives.ReadInt32LittleEndian(answer.Span[4..]), answer[8..].ToArray());
    }

    private readonly record struct SocketCall(int Result, SocketEvents Events, byte[] Bytes);
}
