namespace Hyperlight.Tests.Soak;

/// <summary>Calls that a sandbox survives.</summary>
internal static class CallActions
{
    private const int LargestPayload = 12 << 10;

    public static void Count(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        for (int i = worker.Random.Next(1, 10); i > 0; i--)
        {
            tenant.Count();
        }
    }

    public static void Echo(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        int a = worker.Random.Next(-1000, 1000);
        SoakFailure.Check(tenant.Sandbox.Call<int>("Add", a, 1), a + 1, "A sum");
        string text = $"thread {worker.Number} says {worker.Random.NextInt64()}";
        SoakFailure.Check(tenant.Sandbox.Call<string>("EchoString", text), text, "A text");
        byte[] payload = new byte[worker.Random.Next(LargestPayload)];
        worker.Random.NextBytes(payload);
        if (!tenant.Sandbox.Call<byte[]>("EchoBytes", payload).AsSpan().SequenceEqual(payload))
        {
            throw new SoakFailure($"{payload.Length} bytes came back changed.");
        }
    }

    public static void CallHost(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        int value = worker.Random.Next();
        SoakFailure.Check(tenant.Sandbox.Call<int>("RoundTripInt", value), value, "What the host function returned");
        SoakFailure.Check(tenant.Sandbox.Call<long>("CallHostTimes", 5), 0L + 1 + 2 + 3 + 4, "The sum of what host functions returned");
    }

    public static void UseHeap(SoakWorker worker) =>
        SoakFailure.Check(worker.PickReady().Sandbox.Call<int>("HeapCycle", 50, 100), 50, "The number of heap blocks that are intact");

    /// <summary>Errors that are answers.</summary>
    public static void Fail(SoakWorker worker)
    {
        Tenant tenant = worker.PickReady();
        SoakFailure.Expect<GuestErrorException>(() => tenant.Sandbox.Call("NoSuchFunction"), "A call of an unknown function");
        SoakFailure.Expect<ReturnTypeMismatchException>(() => tenant.Sandbox.Call<string>("Add", 1, 2), "A call with a wrong result");
        using var source = new CancellationTokenSource();
        source.Cancel();
        SoakFailure.Expect<OperationCanceledException>(() => tenant.Sandbox.Call("SpinForever", [], source.Token), "A call with a cancelled token");
        tenant.Count();
    }

    public static void Plant(SoakWorker worker) => worker.PickReady().PlantEverywhere();
}
