using Hyperlight;
using Hyperlight.Samples.AspNetFunctions;
using Hyperlight.Samples.AspNetFunctions.Guests;
using Hyperlight.Samples.AspNetFunctions.Http;
using Hyperlight.Samples.AspNetFunctions.Live;
using Microsoft.Extensions.Options;

if (args is [ComparisonEndpoints.ChildCommand, var limit])
{
    ComparisonEndpoints.RunChild(limit);
    return;
}

WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(args);
builder.Services.AddHyperlight(builder.Configuration.GetSection("Hyperlight"));
builder.Services.AddHealthChecks().AddHyperlight();
builder.Services.AddOptions<ServiceOptions>().BindConfiguration("Functions").ValidateOnStart();
builder.Services.AddSingleton<IValidateOptions<ServiceOptions>, ServiceOptionsValidator>();
builder.Services.AddSingleton<EventHub>();
builder.Services.AddSingleton<ILoggerProvider, GuestLogProvider>();
builder.Services.AddSingleton<GuestSandboxes>();
builder.Services.AddSingleton<GuestCatalog>();
builder.Services.AddHostedService(static provider => provider.GetRequiredService<GuestCatalog>());
builder.Services.AddProblemDetails();
builder.Services.AddExceptionHandler<ProblemHandler>();
builder.Services.ConfigureHttpJsonOptions(static options => options.SerializerOptions.TypeInfoResolverChain.Insert(0, ServiceJson.Default));
RateLimits.Add(builder.Services);
builder.AddTelemetry();

WebApplication app = builder.Build();
app.UseExceptionHandler();
app.UseStatusCodePages();
app.UseRateLimiter();
app.MapPage();
app.MapGuests();
app.MapCalls();
app.MapLive();
app.MapHealthChecks("/health");
app.MapPrometheusScrapingEndpoint();
if (app.Configuration.GetValue("Functions:Comparison", false))
{
    app.MapComparison();
}

app.Logger.LogInformation("driver: {Driver}", app.Services.GetRequiredService<ISandboxFactory>().Hypervisor);
app.Run();

/// <summary>The program, which tests start.</summary>
internal sealed partial class Program;
