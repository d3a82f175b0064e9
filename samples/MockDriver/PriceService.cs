namespace Hyperlight.Samples.MockDriver;

/// <summary>Code of an application: customers upload guests that calculate prices. It is what the tests of this sample test.</summary>
internal sealed class PriceService(ISandboxPool pool)
{
    /// <summary>The price that the guest calculates.</summary>
    /// <exception cref="PriceException">There is no price; the message is for the caller.</exception>
    public async Task<int> GetPriceAsync(int quantity, CancellationToken cancellationToken)
    {
        try
        {
            await using SandboxLease lease = await pool.RentAsync(cancellationToken);
            int price = await lease.CallAsync<int>("Price", [quantity], cancellationToken);

            // What a guest returns is checked as what a user enters.
            return price >= 0 ? price : throw new PriceException(isTemporary: false, "The price is negative.");
        }
        catch (PoolQueueFullException)
        {
            throw new PriceException(isTemporary: true, "There are too many requests.");
        }
        catch (PoolCreationException exception) when (exception.InnerException is HypervisorException cause)
        {
            throw new PriceException(isTemporary: true, $"The machine has no resources: {cause.Operation} failed.");
        }
        catch (GuestErrorException exception)
        {
            throw new PriceException(isTemporary: false, $"The guest reported an error: {exception.Code}.");
        }
    }
}
